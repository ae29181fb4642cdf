"""Customers of the shop."""

from __future__ import annotations

from erp_pipelines.commerce.saving import Saved, save_flat
from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.errors import NotFound
from erp_pipelines.domain.events import EventType
from erp_pipelines.storage import commerce as store
from erp_pipelines.storage.engine import Connection

__all__ = ["Saved", "get", "save"]


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
