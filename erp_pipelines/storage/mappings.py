"""Mappings: which of the ERP's records stands for which of ours."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from erp_pipelines.domain.connections import ConnectionKey


@dataclass(frozen=True)
class Mapping:
    entity_type: str
    entity_id: str
    external_id: str
    external_type: str
    external_number: str | None
    sync_token: str | None
    fingerprint: str | None
    balance: Decimal | None
    external_updated_at: dt.datetime | None
    last_sync_at: dt.datetime | None
    snapshot: dict[str, str] | None = None
    moved_at: dt.datetime | None = None
    moved_versions: int = 0


_COLUMNS = (
    "entity_type, prometheus_id, external_id, external_type, external_number, sync_token, fingerprint, balance, "
    "external_updated_at, last_sync_at, snapshot, moved_at, moved_versions"
)
_FIND = sa.text(
    f"""
    select {_COLUMNS} from erp.integration_entity_mappings
    where tenant_id = :tenant and provider = :provider and entity_type = :entity and prometheus_id = any(:ids)
    """
)
_FIND_EXTERNAL = sa.text(
    f"""
    select {_COLUMNS} from erp.integration_entity_mappings
    where tenant_id = :tenant and provider = :provider and entity_type = :entity and external_id = any(:ids)
    """
)


def find(conn: Connection, key: ConnectionKey, entity_type: str, ids: Sequence[str]) -> dict[str, Mapping]:
    """The mappings of our ids, by our id; ids without one are left out."""
    rows = conn.execute(_FIND, _scope(key) | {"entity": entity_type, "ids": list(ids)})
    return {row[1]: Mapping(*row) for row in rows}


def find_external(conn: Connection, key: ConnectionKey, entity_type: str, ids: Sequence[str]) -> dict[str, Mapping]:
    """The mappings of the ERP's ids, by its id; ids without one are left out."""
    rows = conn.execute(_FIND_EXTERNAL, _scope(key) | {"entity": entity_type, "ids": list(ids)})
    return {row[2]: Mapping(*row) for row in rows}


_SEEN = sa.text(
    """
    update erp.integration_entity_mappings
    set sync_token = coalesce(:sync_token, sync_token), balance = coalesce(:balance, balance),
        total = coalesce(:total, total), external_number = coalesce(:number, external_number),
        external_updated_at = :updated_at, moved_at = null, moved_versions = 0
    where tenant_id = :tenant and provider = :provider and entity_type = :entity and external_id = :external_id
      and (external_updated_at is null or external_updated_at <= :updated_at)
    """
)


def seen(
    conn: Connection,
    key: ConnectionKey,
    *,
    entity_type: str,
    external_id: str,
    sync_token: str | None,
    balance: Decimal | None,
    updated_at: dt.datetime | None,
    number: str | None = None,
    total: Decimal | None = None,
) -> bool:
    """Note the version that was just read; False if a newer one is known, or none at all."""
    values = {
        "entity": entity_type, "external_id": external_id, "sync_token": sync_token, "balance": balance,
        "updated_at": updated_at, "number": number, "total": total,
    }  # fmt: skip
    return conn.execute(_SEEN, _scope(key) | values).rowcount == 1


_MOVED = sa.text(
    """
    update erp.integration_entity_mappings
    set balance = balance - :amount, moved_at = :at, moved_versions = moved_versions + :versions
    where tenant_id = :tenant and provider = :provider and entity_type = :entity and external_id = :external_id
      and external_type = :type
      and (external_updated_at is null or external_updated_at <= :at)
    """
)


def moved(
    conn: Connection,
    key: ConnectionKey,
    *,
    entity_type: str,
    external_type: str,
    external_id: str,
    amount: Decimal,
    versions: int,
    at: dt.datetime,
) -> None:
    """Note what a write of ours to another document has done to this one; nothing where it was read since."""
    values = {
        "entity": entity_type,
        "type": external_type,
        "external_id": external_id,
        "amount": amount,
        "versions": versions,
        "at": at,
    }
    conn.execute(_MOVED, _scope(key) | values)


_FORGET_VERSION = sa.text(
    """
    update erp.integration_entity_mappings set sync_token = null
    where tenant_id = :tenant and provider = :provider and entity_type = :entity and external_id = :external_id
    """
)


def forget_version(conn: Connection, key: ConnectionKey, *, entity_type: str, external_id: str) -> None:
    """What stands there must be looked at before it is written to again."""
    conn.execute(_FORGET_VERSION, _scope(key) | {"entity": entity_type, "external_id": external_id})


_AS_SENT = sa.text(
    """
    update erp.integration_entity_mappings set fingerprint = :after
    where tenant_id = :tenant and provider = :provider and entity_type = :entity and prometheus_id = :id
      and fingerprint = :before
    """
)


def as_sent(conn: Connection, key: ConnectionKey, entity_type: str, entity_id: str, *, before: str, after: str) -> None:
    """Take a body for sent that came from the ERP, if the one before it was sent: so it is not told back."""
    values = {"entity": entity_type, "id": entity_id, "before": before, "after": after}
    conn.execute(_AS_SENT, _scope(key) | values)


_NEWEST_DOCUMENT = sa.text(
    f"""
    select {", ".join(f"m.{column.strip()}" for column in _COLUMNS.split(","))}
    from erp.integration_entity_mappings m join erp.orders o on o.tenant_id = m.tenant_id and o.id = m.prometheus_id
    where m.tenant_id = :tenant and m.provider = :provider and m.entity_type = 'Order' and o.customer_id = :id
    order by m.created_at desc limit 1
    """
)


def newest_document(conn: Connection, key: ConnectionKey, customer_id: str) -> Mapping | None:
    """The last of the customer's orders that became a document."""
    found = conn.execute(_NEWEST_DOCUMENT, _scope(key) | {"id": customer_id}).one_or_none()
    return None if found is None else Mapping(*found)


def _scope(key: ConnectionKey) -> dict[str, Any]:
    return {"tenant": key.tenant_id, "provider": key.provider}
