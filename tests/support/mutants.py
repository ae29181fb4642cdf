"""`./dev mutants`: mutmut over one PostgreSQL that stays up between the mutants, in memory where there is some.

Each test of each mutant makes a database: on a busy disk, that takes ten times as long as the test itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from erp_pipelines.server.postgres import wait_stopped

MEMORY = Path("/dev/shm")


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="erp-mutants-", dir=MEMORY if MEMORY.is_dir() else None) as place:
        Path(place).chmod(0o711)  # under root, the server's account must pass through
        directory = Path(place) / "postgres"
        os.environ["ERP_TEST_SERVER_DIR"] = str(directory)
        from tests.support.postgres import newest_schema, suite_server  # looks into the environment when it is imported

        with suite_server() as server:
            newest_schema(server)
            done = subprocess.run([Path(sys.executable).with_name("mutmut"), "run", *sys.argv[1:]], check=False)
        wait_stopped(directory)
    return done.returncode


if __name__ == "__main__":
    raise SystemExit(main())
