"""Figures that the database holds, over all tenants, in the form of metrics.

Labels are providers, states, outcomes and codes; never tenants or ids, so the number of series is bounded.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterable, Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.delivery import gaps, totals
from erp_pipelines.storage import gauges, unknown_faults, usage
from erp_pipelines.storage import totals as stored_totals
from erp_pipelines.storage.engine import Connection
from erp_pipelines.storage.gauges import Depth

# The figures are open to all: whoever asks more often gets the last answer again.
FRESH = dt.timedelta(seconds=5)
MINUTE = 60.0
Sample = tuple[Sequence[str], float]


class Counted:
    """What the database has counted, read at most every five seconds; safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read_at: dt.datetime | None = None
        self._families: list[Metric] = []

    def families(self, runtime: Runtime) -> list[Metric]:
        """Raises DatabaseDown and StorageError while the database is away."""
        with self._lock:
            now = runtime.clock.now()
            if self._read_at is None or not dt.timedelta(0) <= now - self._read_at < FRESH:
                self._families, self._read_at = counted(runtime), now
            return self._families


def counted(runtime: Runtime) -> list[Metric]:
    """As the database says now. Raises DatabaseDown and StorageError while it is away."""
    now = runtime.clock.now()
    with runtime.db.system() as conn:
        families = [
            *_queue(gauges.queue(conn, now=now)),
            *_inbox(gauges.inbox(conn, now=now)),
            *_fleet(runtime, conn, now),
            *_totals(stored_totals.by_provider(conn)),
            *_faults_and_usage(conn, now.date()),
        ]
    missed = gaps.missed_by_provider(runtime)
    families.append(
        _gauge(
            "erp_missed_notices",
            "Changes of the last week that a pull found and no notice told of in time.",
            ["provider"],
            (([provider], count) for provider, count in missed.items()),
        )
    )
    return families


def _queue(depths: Sequence[Depth]) -> Iterator[Metric]:
    labels = ["provider", "state"]
    yield _gauge(
        "erp_queue_events", "Events that are not done.", labels, (([at.provider, at.state], at.count) for at in depths)
    )
    yield _gauge(
        "erp_queue_oldest_seconds", "Age of the oldest event that is not done.", labels,
        (([at.provider, at.state], at.oldest_seconds) for at in depths),
    )  # fmt: skip
    doubts: dict[str, int] = {}
    for at in depths:
        doubts[at.provider] = doubts.get(at.provider, 0) + at.in_doubt
    yield _gauge(
        "erp_in_doubt_events", "Events that wait or were given up, of which a write may have reached the ERP unheard.",
        ["provider"], (([provider], count) for provider, count in doubts.items()),
    )  # fmt: skip


def _inbox(depths: Sequence[Depth]) -> Iterator[Metric]:
    labels = ["provider", "state"]
    yield _gauge(
        "erp_inbox_notices",
        "Notices that are not done.",
        labels,
        (([at.provider, at.state], at.count) for at in depths),
    )
    yield _gauge(
        "erp_inbox_oldest_seconds", "Age of the oldest notice that is not done.", labels,
        (([at.provider, at.state], at.oldest_seconds) for at in depths),
    )  # fmt: skip


def _fleet(runtime: Runtime, conn: Connection, now: dt.datetime) -> Iterator[Metric]:
    fleet = gauges.fleet(conn, now=now)
    states = gauges.connection_states(conn)
    yield _gauge(
        "erp_connections", "Connections by their state.", ["provider", "state"],
        (([provider, state], count) for provider, state, count in states),
    )  # fmt: skip
    yield _gauge(
        "erp_paused_connections", "Connected, and waiting because their ERP asked for it.", ["provider"],
        (([of.provider], of.paused) for of in fleet),
    )  # fmt: skip
    yield _gauge(
        "erp_calls_at_once_limit", "Calls at once that the tightest account was last seen to bear.", ["provider"],
        (([of.provider], of.at_once) for of in fleet if of.at_once is not None),
    )  # fmt: skip
    yield _gauge(
        "erp_calls_left_this_minute", "Calls of the busiest account that can still leave within a minute.", ["provider"],
        (
            ([of.provider], max(0.0, (MINUTE - of.reserved_seconds) / MINUTE * runtime.per_minute(of.provider)))
            for of in fleet
        ),
    )  # fmt: skip
    ends = [([of.provider, "renewal"], of.renewal_seconds) for of in fleet]
    ends += [([of.provider, "consent"], of.consent_seconds) for of in fleet]
    yield _gauge(
        "erp_token_expiry_seconds", "Until the first grant ends: unless renewed, and whatever is done.",
        ["provider", "end"], ((labels, seconds) for labels, seconds in ends if seconds is not None),
    )  # fmt: skip


_TOTALS = {
    totals.ATTEMPTS: ("erp_attempts", "Tries at events."),
    totals.THROTTLES: ("erp_throttles", "Calls that an ERP refused as too many."),
    totals.NOTICES_WORKED: ("erp_notices_worked", "Notices that were worked on."),
    totals.CHANGES_PULLED: ("erp_changes_pulled", "Changes that pulls have found."),
}
_CALLS = {totals.READS: "read", totals.WRITES: "write"}


def _totals(rows: Sequence[tuple[str, str, int]]) -> Iterator[Metric]:
    for name, (metric, text) in _TOTALS.items():
        yield _counter(metric, text, ["provider"], (([of], value) for of, found, value in rows if found == name))
    yield _counter(
        "erp_outcomes", "Tries at events by what came of them.", ["provider", "outcome"],
        (([of, name.removeprefix(totals.OUTCOME)], value) for of, name, value in rows if name.startswith(totals.OUTCOME)),
    )  # fmt: skip
    yield _counter(
        "erp_calls", "Calls that left for an ERP.", ["provider", "kind"],
        (([of, _CALLS[name]], value) for of, name, value in rows if name in _CALLS),
    )  # fmt: skip


def _faults_and_usage(conn: Connection, today: dt.date) -> Iterator[Metric]:
    yield _counter(
        "erp_unknown_faults", "Faults of an ERP that no catalogue knows.", ["provider", "code"],
        (([provider, code], count) for provider, code, count in unknown_faults.totals(conn)),
    )  # fmt: skip
    calls = [
        ([provider, kind], count)
        for provider, reads, writes in usage.by_provider(conn, today)
        for kind, count in (("read", reads), ("write", writes))
    ]
    yield _gauge("erp_calls_this_month", "Calls to an ERP since the month began.", ["provider", "kind"], calls)


def _gauge(name: str, text: str, labels: Sequence[str], samples: Iterable[Sample]) -> Metric:
    return _filled(GaugeMetricFamily(name, text, labels=labels), samples)


def _counter(name: str, text: str, labels: Sequence[str], samples: Iterable[Sample]) -> Metric:
    return _filled(CounterMetricFamily(name, text, labels=labels), samples)


def _filled(family: GaugeMetricFamily | CounterMetricFamily, samples: Iterable[Sample]) -> Metric:
    for labels, value in samples:
        family.add_metric(labels, value)
    return family
