"""Metered reads: counted as they are made, forecast to the month's end, and held back where a tenant has set a cap.

Months are UTC's. Whatever left for the provider counts, answered or not, so the figure is never below the provider's own.
"""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.delivery.job import Job
from erp_pipelines.domain.outcomes import Explained
from erp_pipelines.storage import alerts, connections, usage
from erp_pipelines.storage.connections import ConnectionRow
from erp_pipelines.storage.engine import Connection
from erp_pipelines.storage.usage import Usage

# What the forecast takes for the pace of the days to come.
RECENT = dt.timedelta(days=7)


@dataclass(frozen=True)
class Budget:
    """One connection's calls of this month; `forecast_reads` are those at its end if the last week's pace goes on."""

    provider: str
    month: dt.date
    reads: int
    writes: int
    forecast_reads: int
    cap: int | None

    @property
    def spent(self) -> bool:
        return self.cap is not None and self.reads >= self.cap


def count(job: Job) -> None:
    """Store the calls made since the last time; no transaction when there were none. Told of when they reach the cap."""
    calls, counted = job.tally.calls, job.tally.counted
    reads, writes = calls.reads - counted.reads, calls.writes - counted.writes
    if not reads and not writes:
        return
    today, cap = job.now().date(), job.row.settings.reads_per_month
    with job.transaction() as conn:
        usage.add(conn, job.key, day=today, reads=reads, writes=writes)
        after = usage.month_reads(conn, job.key, today) if cap is not None and reads else 0
        if cap is not None and after - reads < cap <= after:
            alerts.raise_alert(conn, job.key, _spent(cap, after))
    counted.reads, counted.writes = calls.reads, calls.writes


def spent(conn: Connection, row: ConnectionRow, now: dt.datetime) -> bool:
    """Whether what is not urgent has to wait for the next month."""
    cap = row.settings.reads_per_month
    return cap is not None and usage.month_reads(conn, row.key, now.date()) >= cap


def of_tenant(runtime: Runtime, tenant_id: str) -> list[Budget]:
    """Every connection that was ever made, by provider."""
    now = runtime.clock.now()
    with runtime.db.tenant(tenant_id) as conn:
        rows = connections.of_tenant(conn, tenant_id)
        used = {one.provider: one for one in usage.of_tenant(conn, tenant_id, day=now.date(), recent=_recent(now))}
    return [_budget(row, used.get(row.provider), now) for row in rows]


def _recent(now: dt.datetime) -> dt.date:
    return (now - RECENT).date() + dt.timedelta(days=1)


def _budget(row: ConnectionRow, used: Usage | None, now: dt.datetime) -> Budget:
    return Budget(
        provider=row.provider,
        month=now.date().replace(day=1),
        reads=used.reads if used else 0,
        writes=used.writes if used else 0,
        forecast_reads=forecast(used, now) if used else 0,
        cap=row.settings.reads_per_month,
    )


def forecast(used: Usage, now: dt.datetime) -> int:
    """Reads at the month's end. A history shorter than a day counts as one. Pure."""
    began = max(used.first_day, _recent(now))
    days = max((now - dt.datetime.combine(began, dt.time(), dt.UTC)) / dt.timedelta(days=1), 1.0)
    last = calendar.monthrange(now.year, now.month)[1]
    ends = dt.datetime(now.year, now.month, last, tzinfo=dt.UTC) + dt.timedelta(days=1)
    return used.reads + round(used.recent_reads / days * ((ends - now) / dt.timedelta(days=1)))


def _spent(cap: int, reads: int) -> Explained:
    return Explained(
        f"The month's {cap} reads are spent ({reads} were made): changes in the ERP are not looked for until the next month.",
        "reads-spent",
        "Raise readsPerMonth in the settings of the connection, or wait; deliveries and webhooks go on.",
    )
