from __future__ import annotations

import pytest

from erp_pipelines.commerce import records
from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.errors import RecordInvalid
from erp_pipelines.domain.orders import Order
from erp_pipelines.domain.payments import Payment
from erp_pipelines.domain.products import Product
from erp_pipelines.storage import outbox
from tests.integration.commerce.shop import Shop, order


def test_each_kind_is_loaded(shop: Shop) -> None:
    shop.save(order(paymentStatus="paid"))
    with shop.db.tenant("acme") as conn:
        found = [
            records.load(conn, "acme", kind, entity_id)
            for kind, entity_id in [("Customer", "C1"), ("Product", "P2"), ("Order", "O1"), ("Payment", "O1-1")]
        ]
        assert [type(record) for record in found] == [Customer, Product, Order, Payment]
        assert found[2] == shop.order()
        assert records.load(conn, "acme", "Order", "O7") is None
        with pytest.raises(RecordInvalid, match=r"'Invoice' is no entity type. Known are Customer, Product"):
            records.load(conn, "acme", "Invoice", "1")


def test_a_host_that_only_emits_is_known_by_its_newest_event(shop: Shop) -> None:
    with shop.db.tenant("acme") as conn:
        for name in ("Old", "New"):
            outbox.emit(conn, "acme", "ClientMoved", "Customer", "X1", {"id": "X1", "name": name})
        outbox.emit(conn, "acme", "Sale", "Order", "X2", order(id="X2").payload())
        assert records.load(conn, "acme", "Customer", "X1") == Customer(id="X1", name="New")
        assert records.load(conn, "acme", "Order", "X2") == order(id="X2").completed()
        assert records.ids(conn, "acme", "Customer") == ["C1", "X1"]


def test_ids_come_in_pages_each_once(shop: Shop) -> None:
    shop.save(order(paymentStatus="paid"))
    with shop.db.tenant("acme") as conn:
        for number in range(7):
            outbox.emit(conn, "acme", "Seen", "Product", f"P{number}", {"id": f"P{number}", "name": "x"})
        pages, after = [], None
        while page := records.ids(conn, "acme", "Product", after, limit=3):
            pages.append(page)
            after = page[-1]
        assert pages == [["P0", "P1", "P2"], ["P3", "P4", "P5"], ["P6"]]
        assert records.ids(conn, "acme", "Payment") == ["O1-1"]
    with shop.db.tenant("other") as conn:
        assert records.ids(conn, "other", "Product") == []
