"""`./dev mutants`: mutmut over one PostgreSQL that stays up between the mutants."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.postgres import SERVER_DIR, newest_schema, suite_server


def main() -> int:
    os.environ["ERP_TEST_SERVER_DIR"] = str(SERVER_DIR)  # else the copy of the sources in mutants/ has one of its own
    with suite_server() as server:
        newest_schema(server)
        return subprocess.run([Path(sys.executable).with_name("mutmut"), "run", *sys.argv[1:]], check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main())
