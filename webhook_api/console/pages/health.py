"""Sync health: how much came over, how much failed, how long it took, and how old the queue is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from fastapi import Request, Response

from erp_pipelines.storage import due, figures
from erp_pipelines.storage.figures import STEPS, Day, QueueAge
from webhook_api.console.access import Manager
from webhook_api.console.charts import Chart, Series, bars
from webhook_api.console.rendering import page
from webhook_api.console.routing import router as new_router
from webhook_api.dependencies import House

DAYS = 14
AGES = ("< 1 min", "< 5 min", "< 30 min", "< 2 h", "< 1 d", "older")
router = new_router()


@router.get("/health")
def health(request: Request, runtime: House, session: Manager) -> Response:
    tenant_id, now = session.principal.tenant_id, runtime.clock.now()
    shown = [(now - dt.timedelta(days=back)).date() for back in reversed(range(DAYS))]
    since = dt.datetime.combine(shown[0], dt.time(), dt.UTC)
    with runtime.db.tenant(tenant_id) as conn:
        standing = due.health(conn, now=now, tenant_id=tenant_id)
        by_day = figures.days(conn, tenant_id, since=since)
        ages = figures.queue_ages(conn, tenant_id, now=now)
    sections = [
        (
            runtime.display_name(one.key.provider),
            one,
            _charts(one.key.provider, shown, by_day, [age for age in ages if age.provider == one.key.provider]),
        )
        for one in standing
    ]
    return page(request, "health.html", sections=sections, days=DAYS)


def _charts(
    provider: str, shown: Sequence[dt.date], by_day: Sequence[Day], ages: Sequence[QueueAge]
) -> tuple[Chart, ...]:
    of_day = {one.day: one for one in by_day if one.provider == provider}
    found = [of_day.get(day) for day in shown]
    labels = [f"{day:%d %b}" for day in shown]
    waiting = {age.seconds: float(age.count) for age in ages}
    return (
        bars(
            "Documents per day",
            "",
            labels,
            [Series("documents", "chart-good", [_of(one, "documents") for one in found])],
        ),
        bars(
            "Failed tries per day",
            "",
            labels,
            [Series("failures", "chart-bad", [_of(one, "failures") for one in found])],
        ),
        bars(
            "From event to document",
            "s",
            labels,
            [
                Series("median", "chart-calm", [one.median_latency if one else None for one in found]),
                Series("95 %", "chart-deep", [one.p95_latency if one else None for one in found]),
            ],
        ),
        bars(
            "Age of what waits now",
            "",
            AGES,
            [Series("events", "chart-calm", [waiting.get(step, 0.0) for step in STEPS])],
        ),
    )


def _of(day: Day | None, name: str) -> float:
    return float(getattr(day, name)) if day else 0.0
