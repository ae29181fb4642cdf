"""The end of Dagster's own history: runs that ended long ago, with their event logs. Ticks go by `retention` in dagster.yaml."""

from __future__ import annotations

import datetime as dt

import dagster as dg

ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
PAGE = 100
# A pass that meets the history of years leaves the rest to the next one.
MOST = 20_000


def prune(instance: dg.DagsterInstance, before: dt.datetime) -> int:
    """Delete the runs that ended before that moment, oldest first; how many."""
    wanted = dg.RunsFilter(statuses=ENDED, updated_before=before)
    count = 0
    while count < MOST and (page := instance.get_run_records(wanted, limit=PAGE, ascending=True)):
        for record in page:
            instance.delete_run(record.dagster_run.run_id)
        count += len(page)
    return count
