"""When a connection is served next, and when it was pulled last."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.delivery import budget
from erp_pipelines.domain.connections import ConnectionState
from erp_pipelines.storage import checkpoints, due, log_details
from erp_pipelines.storage.connections import ConnectionRow

NOW, DELIVERY, PULL = "now", "delivery", "pull"


@dataclass(frozen=True)
class Outlook:
    """`next_for`: what the next run is for, now, a delivery or a pull; empty with `next_at` None where none will be.

    `last_run` is the run of Dagster's that worked last.
    """

    next_at: dt.datetime | None
    next_for: str
    pulled_at: dt.datetime | None
    pull_error: str | None
    last_run: str | None


def of(runtime: Runtime, row: ConnectionRow) -> Outlook:
    """Sensors answer what is due within moments; the schedule of pulls looks every minute."""
    now = runtime.clock.now()
    with runtime.db.tenant(row.tenant_id) as conn:
        waiting = due.next_at(conn, row.key)
        pulled = checkpoints.last(conn, row.key)
        run_id = log_details.last_run(conn, row.key)
        pulls = not budget.spent(conn, row, now)
    pull_at = (pulled.at + runtime.pull_every(row.provider) if pulled.at else now) if pulls else None
    moments = {(at, word) for at, word in ((waiting, DELIVERY), (pull_at, PULL)) if at}
    at, word = min(moments, default=(None, ""))
    if row.state is not ConnectionState.CONNECTED:
        at, word = None, ""
    elif at is not None:
        at = max(at, row.paused_until or at)
        word = NOW if at <= now else word
    return Outlook(at, word, pulled.at, pulled.error, run_id)
