"""The sync log as CSV, for audits and spreadsheets: read and sent page by page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import asdict

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.storage import listings
from erp_pipelines.storage.listings import LogFilter
from webhook_api import csv_out
from webhook_api.csv_out import CsvResponse
from webhook_api.list_schemas import LogOut

PAGE = 500


def answer(runtime: Runtime, tenant_id: str, wanted: LogFilter) -> CsvResponse:
    """All entries that the filter lets through, newest first, as they are read."""
    return csv_out.answer(_lines(runtime, tenant_id, wanted), "sync-logs.csv")


def _lines(runtime: Runtime, tenant_id: str, wanted: LogFilter) -> Iterator[str]:
    names = list(LogOut.model_fields)
    yield csv_out.line([LogOut.model_fields[name].alias or name for name in names])
    after: tuple[dt.datetime, str] | None = None
    while True:
        with runtime.db.tenant(tenant_id) as conn:
            rows = listings.logs(conn, tenant_id, wanted, after=after, limit=PAGE)
        for row in rows:
            shown = LogOut(**asdict(row)).model_dump(mode="json")
            yield csv_out.line(shown[name] for name in names)
        if len(rows) < PAGE:
            return
        after = (rows[-1].started_at, rows[-1].id)
