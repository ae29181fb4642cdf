"""The sync log and the mappings: read-only, for managers and admins."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import RecordInvalid
from erp_pipelines.domain.states import Direction, SyncStatus
from erp_pipelines.storage import listings
from erp_pipelines.storage.listings import LogFilter, LogRow
from webhook_api import csv_out, log_csv, paging
from webhook_api.dependencies import Cursor, House, Manager, PageSize
from webhook_api.list_schemas import LogDetailOut, LogOut, MappingOut
from webhook_api.schemas import Page
from webhook_api.views import log_detail, log_list, mapping_list

router = APIRouter(prefix="/api/integrations", tags=["logs"])
Text = Annotated[str | None, Query(max_length=100)]


def log_filter(
    provider: Text = None,
    entity_type: Annotated[str | None, Query(alias="entityType", max_length=100)] = None,
    status: SyncStatus | None = None,
    direction: Direction | None = None,
    from_date: Annotated[str | None, Query(alias="fromDate", max_length=40)] = None,
    to_date: Annotated[str | None, Query(alias="toDate", max_length=40)] = None,
    entity_id: Annotated[str | None, Query(alias="entityId", max_length=100)] = None,
) -> LogFilter:
    """Dates are days or moments (RFC 3339); a day as `toDate` is included whole."""
    start, end = _moment(from_date, "fromDate"), _moment(to_date, "toDate", whole_day=True)
    return LogFilter(provider, entity_type, status, direction, start, end, entity_id)


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
        rows = listings.logs(conn, user.tenant_id, wanted, after=paging.moment_and_id(cursor), limit=page_size + 1)
    page, following = paging.cut(rows, page_size, _place)
    return Page(items=log_list(page), next_cursor=following)


def _place(row: LogRow) -> tuple[str, str]:
    return row.started_at.isoformat(), row.id


@router.get("/logs/export.csv", response_class=csv_out.CsvResponse)
def export(runtime: House, user: Manager, wanted: Filter) -> csv_out.CsvResponse:
    """All entries that the filter lets through, newest first, as they are read."""
    return log_csv.answer(runtime, user.tenant_id, wanted)


@router.get("/logs/{log_id}")
def get_log(runtime: House, user: Manager, log_id: str) -> LogDetailOut:
    """With its event and what was said, secrets masked; the event's payload is for admins."""
    return log_detail(runtime, user, log_id)


@router.get("/mappings/{provider}/{entity_type}")
def get_mappings(
    runtime: House,
    user: Manager,
    provider: str,
    entity_type: str,
    search: Text = None,
    page_size: PageSize = 50,
    cursor: Cursor = None,
) -> Page[MappingOut]:
    """By our id. `search` is part of our id, of the ERP's, or of its document number, in any case."""
    place = paging.decode(cursor, 1)
    after = place[0] if place else None
    key = ConnectionKey(user.tenant_id, provider)
    with runtime.db.tenant(user.tenant_id) as conn:
        rows = listings.mappings(
            conn, user.tenant_id, provider, entity_type, search=search, after=after, limit=page_size + 1
        )
        page, following = paging.cut(rows, page_size, lambda row: (row.prometheus_id,))
        return Page(items=mapping_list(conn, runtime, key, page), next_cursor=following)
