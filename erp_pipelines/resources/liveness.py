"""Which runs are alive: a run holds an advisory lock of its own name while its process works.

Dagster's stock launcher cannot tell that a run died together with its code server: such a run stays
`STARTED`, and keeps its connection's place in the queue. PostgreSQL can tell.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import dagster as dg

from erp_pipelines.access.runtime import Runtime

# Set once the lock is held: only of such runs does a free lock mean anything. Dagster hides tags with a leading dot.
SHOWN_TAG = ".erp/shows_life"


@contextmanager
def alive(runtime: Runtime, instance: dg.DagsterInstance, run: dg.DagsterRun) -> Iterator[None]:
    """Show that this run lives, until the block ends."""
    with runtime.db.worker(_name(run.run_id)):
        instance.add_run_tags(run.run_id, {SHOWN_TAG: "yes"})
        yield


def is_alive(runtime: Runtime, run_id: str) -> bool:
    """Whether the run's process holds its lock. It doesn't for moments: between two steps, and at the very end."""
    return runtime.db.is_held(_name(run_id))


def _name(run_id: str) -> str:
    return f"dagster-run:{run_id}"


@dataclass
class Doubts:
    """Since when which runs have looked dead. For one process."""

    _since: dict[str, float] = field(default_factory=dict)

    def confirmed(self, runtime: Runtime, run: dg.DagsterRun, seconds: float) -> bool:
        """Whether a started run has looked dead for so long that it is."""
        if run.status is not dg.DagsterRunStatus.STARTED or SHOWN_TAG not in run.tags or is_alive(runtime, run.run_id):
            self._since.pop(run.run_id, None)
            return False
        return time.monotonic() - self._since.setdefault(run.run_id, time.monotonic()) >= seconds
