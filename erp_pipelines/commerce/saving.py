"""What every save has in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import InvalidOperation
from typing import TypeVar

from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.errors import NotFound, RecordInvalid
from erp_pipelines.domain.events import CanonicalRecord, EntityType, EventType
from erp_pipelines.domain.orders import Order
from erp_pipelines.domain.payments import Payment
from erp_pipelines.domain.products import Product
from erp_pipelines.domain.refunds import Refund
from erp_pipelines.storage import commerce as store
from erp_pipelines.storage import outbox
from erp_pipelines.storage.commerce_values import settled
from erp_pipelines.storage.engine import Connection

F = TypeVar("F", Customer, Product)
C = TypeVar("C", Customer, Product, Order, Payment, Refund)


@dataclass(frozen=True)
class Saved:
    """What a save did. `event_id` is the event it appended; None when nothing changed."""

    changed: bool
    created: bool
    event_id: str | None


UNCHANGED = Saved(changed=False, created=False, event_id=None)


def save_flat(conn: Connection, tenant_id: str, given: F, created: EventType, updated: EventType) -> Saved:
    """Insert or replace a customer or product and append its event; nothing at all when nothing changed."""
    record = storable(given)
    entity = EntityType(type(record).__name__)
    store.lock_entities(conn, tenant_id, entity, [record.id])
    before = store.find(conn, type(record), tenant_id, record.id, lock=True)
    if before is None:
        require_tenant(conn, tenant_id)
        store.insert(conn, tenant_id, record)
    elif before.payload() == record.payload():
        return UNCHANGED
    else:
        store.update(conn, tenant_id, record)
    event = announce(conn, tenant_id, created if before is None else updated, record)
    return Saved(changed=True, created=before is None, event_id=event)


def storable(record: C, complete: Callable[[C], C] = lambda record: record) -> C:
    """The completed record with its amounts as the tables hold them; RecordInvalid for what they cannot hold."""
    if _has_zero_byte(record.payload()):
        raise RecordInvalid(f"{type(record).__name__} {record.id!r} contains a zero byte, which no text can hold.")
    try:
        return settled(complete(record))
    except InvalidOperation:
        raise RecordInvalid(
            f"{type(record).__name__} {record.id!r}: an amount has more digits than can be reckoned with.",
            mend="Amounts have up to 15 digits before the point.",
        ) from None


def _has_zero_byte(value: object) -> bool:
    if isinstance(value, dict):
        return any(_has_zero_byte(part) for part in value.values())
    if isinstance(value, list):
        return any(_has_zero_byte(part) for part in value)
    return isinstance(value, str) and "\0" in value


def require_tenant(conn: Connection, tenant_id: str) -> None:
    if store.tenant_name(conn, tenant_id) is None:
        raise NotFound(
            f"There is no tenant {tenant_id!r}.", mend=f"Make it with: erp tenants add {tenant_id} --name NAME"
        )


def announce(conn: Connection, tenant_id: str, event: EventType, record: CanonicalRecord) -> str:
    """Append the event that tells of the record as it is now; its id."""
    return outbox.emit(conn, tenant_id, event, EntityType(type(record).__name__), record.id, record.payload())
