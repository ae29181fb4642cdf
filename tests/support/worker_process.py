"""`python -m tests.support.worker_process KEY`: one worker of the real engine, for tests that kill it."""

from __future__ import annotations

import sys

from erp_pipelines.bootstrap import build_runtime
from erp_pipelines.delivery import worker
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.settings import Settings


def main() -> None:
    runtime = build_runtime(Settings.from_env())
    report = worker.serve(runtime, ConnectionKey.parse(sys.argv[1]), worker.Budget(events=100_000))
    sys.exit(3 if report.busy else 0)


if __name__ == "__main__":
    main()
