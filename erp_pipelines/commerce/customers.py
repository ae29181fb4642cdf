"""Customers of the shop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from erp_pipelines.commerce.saving import Saved, save_flat, storable
from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.errors import NotFound
from erp_pipelines.domain.events import EntityType, EventType
from erp_pipelines.domain.records import parse
from erp_pipelines.storage import commerce as store
from erp_pipelines.storage.engine import Connection

__all__ = ["Saved", "apply_from_erp", "get", "save"]


def save(conn: Connection, tenant_id: str, customer: Customer) -> Saved:
    """Insert or replace the customer and append CustomerCreated or CustomerUpdated; nothing at all when nothing changed.

    Saves of one customer wait for each other, so its events stand in the order of the commits.
    Raises NotFound for an unknown tenant, RecordInvalid for what cannot be stored.
    """
    return save_flat(conn, tenant_id, customer, EventType.CUSTOMER_CREATED, EventType.CUSTOMER_UPDATED)


def get(conn: Connection, tenant_id: str, customer_id: str) -> Customer:
    """Raises NotFound."""
    found = store.find(conn, Customer, tenant_id, customer_id)
    if found is None:
        raise NotFound(f"There is no customer {customer_id!r}.")
    return found


def apply_from_erp(conn: Connection, tenant_id: str, customer_id: str, fields: Mapping[str, Any]) -> Customer | None:
    """Lay what an ERP says over the customer's fields (by their JSON names), and append no event: it is not told back.

    None for a customer that the tables do not hold. Raises RecordInvalid for a value that no customer can have.
    """
    store.lock_entities(conn, tenant_id, EntityType.CUSTOMER, [customer_id])
    before = store.find(conn, Customer, tenant_id, customer_id, lock=True)
    if before is None:
        return None
    after = storable(parse(Customer, {**before.payload(), **fields}))
    store.update(conn, tenant_id, after)
    return after
