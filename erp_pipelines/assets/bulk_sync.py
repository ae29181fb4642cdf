"""A bulk sync from the request to its end, for one connection. Plain; its Dagster face stands in `in_erp`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import dagster as dg

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.assets.metadata import added, part_of
from erp_pipelines.assets.serving import serve, wait_for_more
from erp_pipelines.delivery import bulk, due
from erp_pipelines.delivery.reports import Report
from erp_pipelines.domain.connections import ConnectionKey

# Work that another worker does is looked at so often; our own needs no looking.
FOLLOW_SECONDS = 1.0
IDLE_SECONDS = 5.0


@dataclass(frozen=True)
class Synced:
    """How it ended. `report` is of the asked kind alone; `stopped`: why it ended before its work did, for a person."""

    key: ConnectionKey
    sync_id: str
    progress: bulk.Progress
    report: Report
    stopped: str | None


def bring_up_to_date(
    runtime: Runtime,
    key: ConnectionKey,
    asset: dg.AssetKey,
    entity_type: str,
    *,
    by: str,
    record: Callable[[Report], None],
) -> Synced:
    """Ask for a bulk sync and see it through: serve the connection, or follow the worker that does.

    Returns when nothing of it is left to do, or when the connection cannot be served any more.
    An open request for the same records is taken up again, so a broken run can simply be started anew.
    """
    sync_id = bulk.request(runtime, key, [entity_type], by=by)
    total: Report | None = None
    while True:
        report = serve(runtime, key)
        record(report)
        part = part_of(report, asset)  # before adding up: the lists of the sum are cut short
        total = part if total is None else added(total, part)
        progress = bulk.progress(runtime, key, sync_id)
        stopped = None if progress.finished else _hopeless(runtime, report)
        if progress.finished or stopped:
            return Synced(key, sync_id, progress, total, stopped)
        wait_for_more(runtime, report, FOLLOW_SECONDS if report.busy else IDLE_SECONDS)


def _hopeless(runtime: Runtime, report: Report) -> str | None:
    """Why the connection cannot be served; a pause that will be over by itself is no such reason."""
    if report.key in due.active(runtime):
        return None
    return report.parked or "It is not connected."
