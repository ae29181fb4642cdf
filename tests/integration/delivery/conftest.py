from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from erp_pipelines.commerce import customers, orders, payments, products
from erp_pipelines.delivery import worker
from tests.support.factories import make_customer, make_order, make_product
from tests.support.toy import KEY, ToyErp, connect, toy_runtime


class Shop:
    """The host's side and a look into the tables, for one tenant."""

    def __init__(self, database) -> None:
        self.database = database

    def customer(self, customer_id="c1", **changes):
        with self.database.tenant(KEY.tenant_id) as conn:
            return customers.save(conn, KEY.tenant_id, make_customer(customer_id, **changes))

    def product(self, product_id="p1", **changes):
        with self.database.tenant(KEY.tenant_id) as conn:
            return products.save(conn, KEY.tenant_id, make_product(product_id, **changes))

    def order(self, order_id="o1", **changes):
        with self.database.tenant(KEY.tenant_id) as conn:
            return orders.save(conn, KEY.tenant_id, make_order(order_id, **changes))

    def pay(self, order_id="o1", **given):
        with self.database.tenant(KEY.tenant_id) as conn:
            return payments.pay(conn, KEY.tenant_id, order_id, date=dt.date(2026, 3, 2), **given)

    def paid_order(self, order_id="o1"):
        self.customer()
        self.product()
        self.order(order_id)
        return self.pay(order_id)

    def rows(self, statement: str, **values):
        with self.database.tenant(KEY.tenant_id) as conn:
            return [tuple(row) for row in conn.execute(sa.text(statement), values)]

    def deliveries(self, columns="entity_type, entity_id, status, outcome"):
        return self.rows(f"select {columns} from erp.integration_deliveries order by seq")

    def states(self, entity_type):
        return self.rows(
            "select entity_id, status, coalesce(outcome, cause) from erp.integration_deliveries where entity_type = :t order by seq",
            t=entity_type,
        )


@pytest.fixture
def erp():
    return ToyErp()


@pytest.fixture
def connection_id(database):
    return connect(database)


@pytest.fixture
def runtime(database, clock, erp, connection_id):
    return toy_runtime(database, clock, erp)


@pytest.fixture
def shop(database, connection_id):
    return Shop(database)


@pytest.fixture
def invoice(runtime, shop, erp):
    """The ERP's id of the open invoice of order o1, which comes to 25.00; for connections that bring confirmed orders."""
    shop.customer()
    shop.product()
    shop.order()
    worker.serve(runtime, KEY)
    return erp.documents[("Order", "o1")][0]["id"]


@pytest.fixture(autouse=True)
def in_step_with_the_database(clock, database):
    """Rows get the server's time when they are written: the test's clock starts a little after it."""
    with database.system() as conn:
        clock.moment = conn.execute(sa.text("select now() + interval '1 minute'")).scalar_one().astimezone(dt.UTC)
