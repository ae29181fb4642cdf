"""Products of the shop."""

from __future__ import annotations

from erp_pipelines.commerce.saving import Saved, save_flat
from erp_pipelines.domain.errors import NotFound
from erp_pipelines.domain.events import EventType
from erp_pipelines.domain.products import Product
from erp_pipelines.storage import commerce as store
from erp_pipelines.storage.engine import Connection

__all__ = ["Saved", "get", "save"]


def save(conn: Connection, tenant_id: str, product: Product) -> Saved:
    """Insert or replace the product and append ProductCreated or ProductUpdated; nothing at all when nothing changed.

    Saves of one product wait for each other, so its events stand in the order of the commits.
    Raises NotFound for an unknown tenant, RecordInvalid for what cannot be stored.
    """
    return save_flat(conn, tenant_id, product, EventType.PRODUCT_CREATED, EventType.PRODUCT_UPDATED)


def get(conn: Connection, tenant_id: str, product_id: str) -> Product:
    """Raises NotFound."""
    found = store.find(conn, Product, tenant_id, product_id)
    if found is None:
        raise NotFound(f"There is no product {product_id!r}.")
    return found
