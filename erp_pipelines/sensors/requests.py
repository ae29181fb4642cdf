"""Which runs to ask for, given what is due and which runs there are. Nothing here waits or asks the product's database.

Correctness doesn't rest on it: two runs of one connection would meet at its lock. It keeps runs few.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import dagster as dg

from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.partitions import CONNECTIONS, CONNECTIONS_NAME, LANE_TAG, PARTITION_TAG, STANDBY_TAG
from erp_pipelines.resources.pace import Pace
from erp_pipelines.resources.queue import keeps_failing, runs_of_lanes, runs_of_partitions

CONNECTION_JOB, LANE_JOB = "sync_connection", "drain"
# One lane serves so many due connections in about a second; more of them call for the next lane.
DUE_OF_ONE_LANE = 100


@dataclass
class Memory:
    """What this process has just asked for. The run stands in Dagster's database only a moment later."""

    seconds: float = 5.0
    _asked: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def claim(self, names: Sequence[str]) -> list[str]:
        """Those of `names` that nobody has claimed in the last seconds; they are claimed now."""
        now = time.monotonic()
        with self._lock:
            self._asked = {name: until for name, until in self._asked.items() if until > now}
            fresh = [name for name in names if name not in self._asked]
            self._asked |= dict.fromkeys(fresh, now + self.seconds)
        return fresh


@dataclass(frozen=True)
class Decider:
    """Decides for one tick. `is_gone` tells of a run whether its process is gone although Dagster thinks it runs."""

    instance: dg.DagsterInstance
    pace: Pace
    memory: Memory
    generation: int
    is_gone: Callable[[dg.RunRecord], bool]

    def requests(self, due: Sequence[ConnectionKey], active: int) -> list[dg.RunRequest]:
        """Runs for what is due and has none: one for each connection while they are few, lanes beyond that.

        With a lane that stands by there are lanes only, and one of them is there although nothing is due.
        `active` need be right only as far as it tells the few from the many.
        """
        if active <= self.pace.connection_runs and not self.pace.standby:
            return self._connections([str(key) for key in due])
        return self._lanes(len(due))

    def _connections(self, partitions: Sequence[str]) -> list[dg.RunRequest]:
        runs = self._living(runs_of_partitions(self.instance, partitions))
        taken = {run.dagster_run.tags[PARTITION_TAG] for run in runs}
        idle = [name for name in partitions if name not in taken]
        wanted = self.memory.claim([name for name in idle if not self._keeps_failing(name)])
        return [
            dg.RunRequest(run_key=self._run_key(name), job_name=CONNECTION_JOB, partition_key=name) for name in wanted
        ]

    def _lanes(self, due: int) -> list[dg.RunRequest]:
        runs = self._living(runs_of_lanes(self.instance, LANE_JOB))
        taken = {run.dagster_run.tags[LANE_TAG] for run in runs}
        staying = [run for run in runs if not self._about_to_end(run)]
        standby = self.pace.standby and not any(STANDBY_TAG in run.dagster_run.tags for run in staying)
        wanted = max(min(self.pace.lanes, 1 + due // DUE_OF_ONE_LANE) - len(staying), int(standby))
        if wanted > 0 and keeps_failing(self.instance, dg.RunsFilter(job_name=LANE_JOB)):
            return []
        free = [name for name in map(str, range(1, self.pace.lanes + 1)) if name not in taken]
        claimed = self.memory.claim([f"lane-{name}" for name in free[:wanted]])
        return [self._lane(name, standby=standby and name == claimed[0]) for name in claimed]

    def _lane(self, name: str, *, standby: bool) -> dg.RunRequest:
        tags = {LANE_TAG: name.removeprefix("lane-")} | ({STANDBY_TAG: "yes"} if standby else {})
        return dg.RunRequest(run_key=self._run_key(name), job_name=LANE_JOB, tags=tags)

    def _about_to_end(self, run: dg.RunRecord) -> bool:
        """Its successor may start now, where another lane's place is free, so that nothing waits for a process to start."""
        if run.start_time is None:
            return False
        return time.time() >= run.start_time + self.pace.life_seconds - self.pace.successor_seconds

    def _keeps_failing(self, partition: str) -> bool:
        return keeps_failing(self.instance, dg.RunsFilter(job_name=CONNECTION_JOB, tags={PARTITION_TAG: partition}))

    def _living(self, runs: Sequence[dg.RunRecord]) -> list[dg.RunRecord]:
        return [run for run in runs if not self.is_gone(run)]

    def _run_key(self, name: str) -> str:
        """Dagster runs a key once for ever, so each tick's keys are new; a tick that is repeated repeats its keys."""
        return f"{name}/{self.generation}"


def next_generation(cursor: str | None, now: float) -> int:
    """Greater than the cursor's, and than any of a cursor that was lost or reset: counted by the clock."""
    last = int(cursor) if cursor and cursor.isdecimal() else 0
    return max(last + 1, int(now))


def missing_partitions(instance: dg.DagsterInstance, requests: Collection[dg.RunRequest]) -> list[str]:
    """Requested partitions that Dagster doesn't know yet: a connection may be due before its sensor has come by."""
    names = [request.partition_key for request in requests if request.partition_key]
    return [name for name in names if not instance.has_dynamic_partition(CONNECTIONS_NAME, name)]


def result(instance: dg.DagsterInstance, requests: Sequence[dg.RunRequest], generation: int) -> dg.SensorResult:
    missing = missing_partitions(instance, requests)
    return dg.SensorResult(
        run_requests=requests,
        dynamic_partitions_requests=[CONNECTIONS.build_add_request(missing)] if missing else [],
        cursor=str(generation),
    )
