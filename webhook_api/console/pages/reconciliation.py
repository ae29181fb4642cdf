"""A month's orders beside the documents that stand for them: counts, sums, what differs and why. The ERP is not asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import fields

from fastapi import Request, Response

from erp_pipelines.access import connections as access
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import RecordInvalid
from erp_pipelines.storage import connections, reconciling
from erp_pipelines.storage.reconciling import IN_ORDER, Line, Months, Sum, Word
from webhook_api import csv_out, paging
from webhook_api.console.access import Manager
from webhook_api.console.pages.logs import chosen
from webhook_api.console.rendering import page
from webhook_api.console.routing import router as new_router
from webhook_api.dependencies import House
from webhook_api.views import document_urls

PAGE, BLOCK = 50, 500
COLUMNS = tuple(field.name for field in fields(Line))
router = new_router()


@router.get("/reconciliation")
def summary(request: Request, runtime: House, session: Manager) -> Response:
    tenant_id = session.principal.tenant_id
    providers = [status.provider for status in access.list_(runtime, tenant_id) if status.row]
    given = chosen(request, ("provider", "month"))
    given["provider"] = given["provider"] or "".join(providers[:1])
    given["month"] = given["month"] or f"{runtime.clock.now():%Y-%m}"
    if not providers:
        return page(
            request, "reconciliation.html", given=given, providers=[], currencies=[], lines=[], urls={}, following=None
        )
    months = _months(runtime, ConnectionKey(tenant_id, given["provider"]), given["month"])
    after = _place(request)
    with runtime.db.tenant(tenant_id) as conn:
        sums = reconciling.sums(conn, months)
        lines = reconciling.page(conn, months, everything=False, after=after, limit=PAGE + 1)
        urls = document_urls(conn, runtime, tenant_id, [(given["provider"], "Order", line.order_id) for line in lines])
    found, following = paging.cut(lines, PAGE, lambda line: (line.order_date.isoformat(), line.order_id))
    return page(
        request,
        "reconciliation.html",
        given=given,
        providers=providers,
        currencies=_by_currency(sums),
        lines=found,
        urls=urls,
        following=following,
    )


@router.get("/reconciliation/export.csv")
def export(request: Request, runtime: House, session: Manager) -> Response:
    """Every order of the month with its document."""
    given = chosen(request, ("provider", "month"))
    key = ConnectionKey(session.principal.tenant_id, given["provider"])
    months = _months(runtime, key, given["month"])
    return csv_out.answer(_csv(runtime, months), f"reconciliation-{key.provider}-{months.since:%Y-%m}.csv")


def _months(runtime: Runtime, key: ConnectionKey, text: str) -> Months:
    """Raises RecordInvalid for what is no month, NotFound for a connection that was never made."""
    try:
        since = dt.datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007 - a month of the calendar, nowhere
    except ValueError:
        raise RecordInvalid(f"{text[:20]!r} is no month.", field="month", mend="Write it as 2026-03.") from None
    with runtime.db.tenant(key.tenant_id) as conn:
        settings = connections.get(conn, key).settings
    return Months(key, settings, since, (since + dt.timedelta(days=31)).replace(day=1))


def _place(request: Request) -> tuple[dt.date, str] | None:
    place = paging.decode(request.query_params.get("cursor"), 2)
    try:
        return (dt.date.fromisoformat(place[0]), place[1]) if place else None
    except ValueError:
        raise paging.no_cursor() from None


def _by_currency(sums: list[Sum]) -> list[tuple[str, Sum, list[Sum]]]:
    """Each currency with the sum of what should stand there, and the parts."""
    found = []
    for currency in sorted({one.currency for one in sums}):
        parts = [one for one in sums if one.currency == currency]
        due = [one for one in parts if one.word not in {Word.NOT_WANTED, Word.CANCELLED}]
        total = Sum(
            currency,
            Word.EQUAL if all(one.word in IN_ORDER for one in parts) else Word.DIFFERS,
            sum(one.orders for one in due),
            sum((one.ours for one in due), start=reconciling.NOTHING),
            sum(one.documents for one in parts),
            sum((one.theirs for one in parts), start=reconciling.NOTHING),
        )
        found.append((currency, total, parts))
    return found


def _csv(runtime: Runtime, months: Months) -> Iterator[str]:
    yield csv_out.line(COLUMNS)
    after: tuple[dt.date, str] | None = None
    while True:
        with runtime.db.tenant(months.key.tenant_id) as conn:
            rows = reconciling.page(conn, months, everything=True, after=after, limit=BLOCK)
        for row in rows:
            yield csv_out.line(getattr(row, name) for name in COLUMNS)
        if len(rows) < BLOCK:
            return
        after = (rows[-1].order_date, rows[-1].order_id)
