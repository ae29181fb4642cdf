"""The sync log as CSV, for audits and spreadsheets: read and sent page by page."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator
from dataclasses import asdict

from fastapi.responses import StreamingResponse

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.storage import listings
from erp_pipelines.storage.listings import LogFilter
from webhook_api.list_schemas import LogOut

PAGE = 500
# A spreadsheet takes what begins like this for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class CsvResponse(StreamingResponse):
    media_type = "text/csv"


def answer(runtime: Runtime, tenant_id: str, wanted: LogFilter) -> CsvResponse:
    """All entries that the filter lets through, newest first, as they are read."""
    disposition = {"Content-Disposition": 'attachment; filename="sync-logs.csv"'}
    return CsvResponse(_lines(runtime, tenant_id, wanted), headers=disposition)


def _lines(runtime: Runtime, tenant_id: str, wanted: LogFilter) -> Iterator[str]:
    names = list(LogOut.model_fields)
    yield _line([LogOut.model_fields[name].alias or name for name in names])
    after: tuple[dt.datetime, str] | None = None
    while True:
        with runtime.db.tenant(tenant_id) as conn:
            rows = listings.logs(conn, tenant_id, wanted, after=after, limit=PAGE)
        for row in rows:
            shown = LogOut(**asdict(row)).model_dump(mode="json")
            yield _line([_cell(shown[name]) for name in names])
        if len(rows) < PAGE:
            return
        after = (rows[-1].started_at, rows[-1].id)


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _line(cells: list[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
