"""What a thousand documents cost on one machine, process by process: peak memory, CPU, and rows of Dagster's event log.

The real stack, all its processes with their defaults, brings paid orders (an invoice and a payment each) from the shop to the
QuickBooks twin as fast as that answers: it is the cost that is measured, not the pace. PostgreSQL's part is measured too; the twin's, which stands in for the ERP, is not.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.commit import Bench, bench
from benchmarks.fleet import TICKS, _stat

ORDERS = 500
EVERY_SECONDS = 0.5
MOST_SECONDS = 600
ROWS = "select (select count(*) from event_logs), (select count(*) from runs), (select count(*) from job_ticks)"
RUN, POSTGRES = "a run", "PostgreSQL"


@dataclass
class Watch:
    """Each process that was seen: what it is, its CPU seconds when last seen, and the most memory it had (MB)."""

    roots: Mapping[int, str]
    names: dict[int, str] = field(default_factory=dict)
    cpu: dict[int, float] = field(default_factory=dict)
    memory: dict[int, float] = field(default_factory=dict)

    def look(self) -> None:
        parents = {one[0]: one for path in Path("/proc").glob("[0-9]*/stat") if (one := _stat(path))}
        for pid, stat in parents.items():
            name = self._name(pid, parents)
            if name and (most := _most_memory(pid)):
                self.names[pid], self.memory[pid] = name, most
                self.cpu[pid] = sum(stat[11:13]) / TICKS

    def _name(self, pid: int, parents: Mapping[int, list[int]]) -> str:
        """Of the service that it belongs to; a Dagster run is spawned by the code server."""
        at, above = pid, list[int]()
        while at in parents and at not in self.roots:
            above.append(at)
            at = parents[at][1]
        if at not in self.roots:
            return ""
        return RUN if any("multiprocessing.spawn" in _command(one) for one in above) else self.roots[at]

    def by_name(self, values: Mapping[int, float]) -> dict[str, list[float]]:
        found = defaultdict(list)
        for pid, value in values.items():
            found[self.names[pid]].append(value)
        return found


def run() -> dict[str, Any]:
    """Per 1,000 documents, after the first one has warmed up what is there once."""
    with bench() as at:
        at.order()
        watch = Watch({**{pid: name for name, pid in at.services().items()}, at.postmaster(): POSTGRES})
        watch.look()
        before, rows = dict(watch.cpu), _rows(at)
        seconds = _brought(at, watch)
        spent = {pid: cpu - before.get(pid, 0.0) for pid, cpu in watch.cpu.items()}
        grown = [after - then for after, then in zip(_rows(at), rows, strict=True)]
        return _figures(watch, spent, grown, seconds)


def _brought(at: Bench, watch: Watch) -> float:
    """Seconds until all of them stood in the twin, looked at all the while."""
    began = time.monotonic()
    at.save(ORDERS)
    while not at.all_paid():
        if time.monotonic() - began > MOST_SECONDS:
            raise RuntimeError("The documents were not brought in time.")
        watch.look()
        time.sleep(EVERY_SECONDS)
    watch.look()
    return time.monotonic() - began


def _figures(watch: Watch, spent: Mapping[int, float], grown: list[int], seconds: float) -> dict[str, Any]:
    documents = 2 * ORDERS
    found: dict[str, Any] = {}
    for name, cpu in sorted(watch.by_name(spent).items()):
        memory = watch.by_name(watch.memory)[name]
        found[f"{name}: CPU seconds; most memory of one process (MB)"] = f"{sum(cpu):.1f}; {max(memory):.0f}"
    total = sum(spent.values())
    return {
        "CPU seconds per 1,000 documents": round(1000 * total / documents, 1),
        "rows of Dagster's event log per 1,000 documents": round(1000 * grown[0] / documents),
        "runs; ticks meanwhile": f"{grown[1]}; {grown[2]}",
        **found,
        "documents; seconds": f"{documents}; {seconds:.0f}",
    }


def _rows(at: Bench) -> tuple[int, ...]:
    with psycopg.connect(at.dagster_url) as conn:
        return tuple(conn.execute(ROWS).fetchone() or ())


def _command(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return ""


def _most_memory(pid: int) -> float:
    """In MB; nothing for a process that has ended. Of PostgreSQL's, shared memory that was touched counts."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0
