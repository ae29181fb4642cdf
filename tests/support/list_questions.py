"""What is asked of the lists: each filter alone and some together, from the beginning and from deep inside."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from erp_pipelines.storage import gauges, listings, open_errors
from erp_pipelines.storage.engine import Connection
from erp_pipelines.storage.listings import LogFilter

TENANT, PAGE = "acme", 51
END = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
YEAR = dt.timedelta(days=365)
Ask = Callable[[Connection], Any]

FILTERS: Mapping[str, LogFilter] = {
    "none": LogFilter(),
    "provider, most": LogFilter(provider="quickbooks"),
    "provider, few": LogFilter(provider="netsuite"),
    "provider, none": LogFilter(provider="toy"),
    "entityType": LogFilter(entity_type="Payment"),
    "entityType, none": LogFilter(entity_type="Refund"),
    "status, most": LogFilter(status="Completed"),
    "status, few": LogFilter(status="Failed"),
    "status, fewest": LogFilter(status="Pending"),
    "direction": LogFilter(direction="FromExternal"),
    "entityId": LogFilter(entity_id="e17"),
    "entityType and entityId": LogFilter(entity_type="Order", entity_id="e17"),
    "a day": LogFilter(from_date=END - YEAR / 2, to_date=END - YEAR / 2 + dt.timedelta(days=1)),
    "status and entityType": LogFilter(status="Failed", entity_type="Customer"),
    "provider, direction and half a year": LogFilter(
        provider="quickbooks", direction="FromExternal", to_date=END - YEAR / 2
    ),
}


def log_page(wanted: LogFilter, depth: float) -> Ask:
    """A page of the log; `depth` is where it begins, 0 at the newest and 1 at the oldest entry."""
    after = None if depth == 0 else (END - YEAR * depth, "ffffffff-ffff-ffff-ffff-ffffffffffff")
    return lambda conn: listings.logs(conn, TENANT, wanted, after=after, limit=PAGE)


def others(count: int, depth: float) -> dict[str, Ask]:
    """The other lists, of tables with so many rows."""
    after = None if depth == 0 else round(count * (1 - depth))
    place = None if depth == 0 else f"e{round(count * depth)}"
    return {
        "outbox": lambda conn: listings.outbox(conn, TENANT, status=None, after=after, limit=PAGE),
        "outbox, given up": lambda conn: listings.outbox(conn, TENANT, status="Abandoned", after=after, limit=PAGE),
        "outbox, none": lambda conn: listings.outbox(conn, TENANT, status="Processing", after=after, limit=PAGE),
        "inbox": lambda conn: listings.inbox(conn, TENANT, status=None, after=after, limit=PAGE),
        "inbox, failed": lambda conn: listings.inbox(conn, TENANT, status="Failed", after=after, limit=PAGE),
        "inbox, none": lambda conn: listings.inbox(conn, TENANT, status="Pending", after=after, limit=PAGE),
        "mappings": lambda conn: listings.mappings(conn, TENANT, "toy", "Order", after=place, limit=PAGE),
        "errors of a cause": lambda conn: open_errors.of_cause(
            conn, TENANT, "toy", "closed-period", after=after or 0, limit=PAGE
        ),
    }


def figures() -> dict[str, Ask]:
    """What `/metrics` asks, over all tenants."""
    return {
        "metrics: queue": lambda conn: gauges.queue(conn, now=END),
        "metrics: inbox": lambda conn: gauges.inbox(conn, now=END),
    }
