"""What Dagster's own run queue says. Questions only; who asks for runs stands in `sensors`."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import dagster as dg

from erp_pipelines.partitions import LANE_TAG, PARTITION_TAG, UNDER_WAY

FAILURES_IN_A_ROW = 3
REST_AFTER_FAILURES = 60.0


@dataclass
class QueuedRival:
    """Whether a run of the same partition waits for this one to end. Asks the queue at most once a second."""

    instance: dg.DagsterInstance
    partition: str
    every_seconds: float = 1.0
    _asked_at: float = field(default=-1.0)
    _answer: bool = field(default=False)

    def __call__(self) -> bool:
        if not self._answer and time.monotonic() - self._asked_at >= self.every_seconds:
            self._answer = bool(self.instance.get_runs(self._waiting, limit=1))
            self._asked_at = time.monotonic()
        return self._answer

    @property
    def _waiting(self) -> dg.RunsFilter:
        return dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED], tags={PARTITION_TAG: self.partition})


def runs_of_partitions(instance: dg.DagsterInstance, partitions: Iterable[str]) -> list[dg.RunRecord]:
    """The runs under way of these partitions, whatever job they belong to; range runs name no partition."""
    wanted = list(partitions)
    if not wanted:
        return []
    return list(instance.get_run_records(dg.RunsFilter(statuses=UNDER_WAY, tags={PARTITION_TAG: wanted})))


def keeps_failing(instance: dg.DagsterInstance, wanted: dg.RunsFilter) -> bool:
    """Whether the last runs of this kind failed one after the other, and it is too soon for the next try.

    A run that was killed is replaced at once; a program with a fault must not fill the log with runs.
    """
    last = instance.get_run_records(wanted, limit=FAILURES_IN_A_ROW)
    failed = [run for run in last if run.dagster_run.status is dg.DagsterRunStatus.FAILURE]
    if len(failed) < FAILURES_IN_A_ROW:
        return False
    return time.time() - max(run.end_time or 0.0 for run in failed) < REST_AFTER_FAILURES


def runs_of_lanes(instance: dg.DagsterInstance, job: str) -> list[dg.RunRecord]:
    """The lanes under way."""
    runs = instance.get_run_records(dg.RunsFilter(statuses=UNDER_WAY, job_name=job))
    return [run for run in runs if LANE_TAG in run.dagster_run.tags]
