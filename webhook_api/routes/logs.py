"""The sync log and the mappings: read-only, for managers and admins."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.domain.errors import NotFound, RecordInvalid
from erp_pipelines.domain.states import Direction, SyncStatus
from erp_pipelines.storage import listings
from erp_pipelines.storage.listings import LogFilter, LogRow
from webhook_api import paging
from webhook_api.dependencies import Cursor, House, Manager, PageSize
from webhook_api.list_schemas import LogOut, MappingOut
from webhook_api.schemas import Page

router = APIRouter(prefix="/api/integrations", tags=["logs"])
Text = Annotated[str | None, Query(max_length=100)]
EXPORT_PAGE = 500
# A spreadsheet takes what begins like this for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def log_filter(
    provider: Text = None,
    entity_type: Annotated[str | None, Query(alias="entityType", max_length=100)] = None,
    status: SyncStatus | None = None,
    direction: Direction | None = None,
    from_date: Annotated[str | None, Query(alias="fromDate", max_length=40)] = None,
    to_date: Annotated[str | None, Query(alias="toDate", max_length=40)] = None,
) -> LogFilter:
    """Dates are days or moments (RFC 3339); a day as `toDate` is included whole."""
    start, end = _moment(from_date, "fromDate"), _moment(to_date, "toDate", whole_day=True)
    return LogFilter(provider, entity_type, status, direction, start, end)


def _moment(text: str | None, field: str, *, whole_day: bool = False) -> dt.datetime | None:
    if text is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
        is_day = len(text) == len("2026-01-31") and whole_day
        moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        return moment + dt.timedelta(days=1) if is_day else moment
    except (ValueError, OverflowError):
        raise RecordInvalid("That is no date.", field=field, mend="Write 2026-01-31 or 2026-01-31T12:00:00Z.") from None


Filter = Annotated[LogFilter, Depends(log_filter)]


@router.get("/logs")
def get_logs(
    runtime: House, user: Manager, wanted: Filter, page_size: PageSize = 50, cursor: Cursor = None
) -> Page[LogOut]:
    """Newest first."""
    with runtime.db.tenant(user.tenant_id) as conn:
        rows = listings.logs(conn, user.tenant_id, wanted, after=_after(cursor), limit=page_size + 1)
    page, following = paging.cut(rows, page_size, _place)
    return Page(items=[LogOut(**asdict(row)) for row in page], next_cursor=following)


def _place(row: LogRow) -> tuple[str, str]:
    return row.started_at.isoformat(), row.id


def _after(cursor: str | None) -> tuple[dt.datetime, str] | None:
    place = paging.decode(cursor, 2)
    try:
        return (dt.datetime.fromisoformat(place[0]), paging.uuid_text(place[1])) if place else None
    except ValueError:
        raise paging.no_cursor() from None


@router.get("/logs/export.csv")
def export(runtime: House, user: Manager, wanted: Filter) -> StreamingResponse:
    """All entries that the filter lets through, newest first, as they are read."""
    disposition = {"Content-Disposition": 'attachment; filename="sync-logs.csv"'}
    return StreamingResponse(_csv(runtime, user.tenant_id, wanted), media_type="text/csv", headers=disposition)


def _csv(runtime: Runtime, tenant_id: str, wanted: LogFilter) -> Iterator[str]:
    names = list(LogOut.model_fields)
    yield _line([LogOut.model_fields[name].alias or name for name in names])
    after: tuple[dt.datetime, str] | None = None
    while True:
        with runtime.db.tenant(tenant_id) as conn:
            rows = listings.logs(conn, tenant_id, wanted, after=after, limit=EXPORT_PAGE)
        for row in rows:
            shown = LogOut(**asdict(row)).model_dump(mode="json")
            yield _line([_cell(shown[name]) for name in names])
        if len(rows) < EXPORT_PAGE:
            return
        after = (rows[-1].started_at, rows[-1].id)


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _line(cells: list[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()


@router.get("/logs/{log_id}")
def get_log(runtime: House, user: Manager, log_id: str) -> LogOut:
    with runtime.db.tenant(user.tenant_id) as conn:
        row = listings.log(conn, user.tenant_id, log_id)
    if row is None:
        raise NotFound(f"There is no log entry {log_id!r}.")
    return LogOut(**asdict(row))


@router.get("/mappings/{provider}/{entity_type}")
def get_mappings(
    runtime: House, user: Manager, provider: str, entity_type: str, page_size: PageSize = 50, cursor: Cursor = None
) -> Page[MappingOut]:
    """By our id."""
    place = paging.decode(cursor, 1)
    after = place[0] if place else None
    with runtime.db.tenant(user.tenant_id) as conn:
        rows = listings.mappings(conn, user.tenant_id, provider, entity_type, after=after, limit=page_size + 1)
    page, following = paging.cut(rows, page_size, lambda row: (row.prometheus_id,))
    return Page(items=[MappingOut(**asdict(row)) for row in page], next_cursor=following)
