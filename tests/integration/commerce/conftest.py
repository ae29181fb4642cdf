from __future__ import annotations

import pytest

from erp_pipelines.commerce import customers, products, tenants
from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.products import Product
from erp_pipelines.storage.engine import Database
from tests.integration.commerce.shop import Shop


@pytest.fixture
def acme(database: Database) -> Shop:
    """A tenant without anything."""
    with database.tenant("acme") as conn:
        tenants.add(conn, "acme", "Acme Wholesale")
    return Shop(database, "acme")


@pytest.fixture
def shop(acme: Shop) -> Shop:
    """A tenant with a customer C1, the products P1 and P2, and an outbox that says nothing of them yet."""
    with acme.db.tenant("acme") as conn:
        customers.save(conn, "acme", Customer(id="C1", name="Corner Shop"))
        products.save(conn, "acme", Product(id="P1", name="Tea", unit_price="10.00"))
        products.save(conn, "acme", Product(id="P2", name="Milk", unit_price="2.50"))
    acme.forget_events()
    return acme
