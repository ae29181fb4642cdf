"""When a connection last brought something over, and what went wrong with it: on the connection's row, but not with every event.

The row is wide, and each write of it leaves a dead one behind. What is seen there is at most a second old, and exact between rounds.
"""

from __future__ import annotations

import datetime as dt

from erp_pipelines.delivery.job import Job
from erp_pipelines.delivery.reports import Standing
from erp_pipelines.storage import connections
from erp_pipelines.storage.engine import Connection

OFTEN = dt.timedelta(seconds=1)


def note(conn: Connection, job: Job, error: str | None) -> None:
    """What the last try says of the connection; `error` None: all was well. Stored at once where it says something new."""
    wanted = due(job, error)
    job.tally.standing = Standing(job.now(), error)
    if wanted:
        _store(conn, job, job.tally.standing)


def due(job: Job, error: str | None) -> bool:
    """Whether `note` would store something now."""
    stored = job.tally.standing_stored
    return stored is None or stored.error != error or job.now() - stored.at >= OFTEN


def count(job: Job) -> None:
    """Store what was noted since the last time; no transaction when there was nothing."""
    standing = job.tally.standing
    if standing is None or standing == job.tally.standing_stored:
        return
    with job.transaction() as conn:
        _store(conn, job, standing)


def _store(conn: Connection, job: Job, standing: Standing) -> None:
    connections.synced(conn, job.row.id, standing.at, standing.error)
    job.tally.standing_stored = standing
