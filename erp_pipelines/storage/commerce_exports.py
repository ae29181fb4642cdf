"""Pages of the sync log and of the mappings, for a tenant that takes its own data out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from erp_pipelines.storage.tables import integration_entity_mappings, integration_sync_logs


@dataclass(frozen=True)
class Listing:
    """Columns of a table, in the order of a unique `key`."""

    table: sa.Table
    columns: tuple[str, ...]
    key: tuple[str, ...]


# Without the payloads: they hold what an ERP was sent of a person, and are kept for looking into failures only.
LOGS = Listing(
    integration_sync_logs,
    (
        "id", "started_at", "completed_at", "provider", "entity_type", "entity_id", "external_id", "direction", "status",
        "outcome", "error_message", "cause", "mend", "in_doubt", "retry_count", "attempt", "erp_request_id", "actor",
        "correlation_id", "settings_version",
    ),
    ("started_at", "id"),
)  # fmt: skip
MAPPINGS = Listing(
    integration_entity_mappings,
    (
        "provider", "entity_type", "prometheus_id", "external_id", "external_type", "external_number", "balance",
        "external_updated_at", "created_at", "last_sync_at",
    ),
    ("provider", "entity_type", "prometheus_id"),
)  # fmt: skip


def page(
    conn: Connection, listing: Listing, tenant_id: str, after: Sequence[Any] | None, limit: int
) -> list[dict[str, Any]]:
    """Up to `limit` rows whose key comes after `after`, as column -> value."""
    key = [listing.table.c[name] for name in listing.key]
    query = sa.select(*(listing.table.c[name] for name in listing.columns)).where(
        listing.table.c.tenant_id == tenant_id
    )
    if after is not None:
        values = [sa.literal(value, column.type) for value, column in zip(after, key, strict=True)]
        query = query.where(sa.tuple_(*key) > sa.tuple_(*values))
    return [dict(row) for row in conn.execute(query.order_by(*key).limit(limit)).mappings()]
