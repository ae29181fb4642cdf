"""Orders that are edited or cancelled after they were sent, through the whole engine."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from erp_pipelines.commerce import orders
from erp_pipelines.delivery import replay
from erp_pipelines.domain.orders import OrderLine
from tests.support.books import KEY, Shop


@pytest.fixture
def shop(database: Any, clock: Any) -> Shop:
    shop = Shop(database, clock)
    shop.settings(documentsWhen="confirmed")
    shop.customer()
    shop.product()
    shop.order(paid=False)
    shop.serve()
    return shop


def cancel(shop: Shop) -> None:
    with shop.database.tenant(KEY.tenant_id) as conn:
        orders.cancel(conn, KEY.tenant_id, "o1")


def last(shop: Shop) -> tuple[Any, ...]:
    """The last event of the order: what became of it, and why."""
    columns = "status, coalesce(outcome, cause)"
    return shop.rows(f"select {columns} from erp.integration_deliveries where entity_type = 'Order' order by seq")[-1]


def alerts(shop: Shop) -> list[tuple[Any, ...]]:
    return shop.rows("select cause from erp.integration_alerts order by 1")


def void(shop: Shop) -> None:
    with shop.twin.person() as person:
        person.void("Invoice", shop.company.invoices[0]["Id"])


def test_cancelled_order_stays_open_until_a_person_has_voided_its_invoice(shop):
    cancel(shop)
    shop.serve()
    assert last(shop) == ("Abandoned", "cancelled-after-sync")
    assert shop.company.invoices[0]["Balance"] == Decimal("25.00")
    void(shop)
    assert replay.retry_failed(shop.runtime, KEY) == 1
    shop.serve()
    assert last(shop) == ("Completed", "Unchanged")


def test_cancellation_that_may_void_does_so_once_and_says_so(shop):
    shop.settings(providerSettings={"cancelVoids": True})
    cancel(shop)
    shop.serve()
    assert last(shop) == ("Completed", "Updated")
    assert [row["TotalAmt"] for row in shop.company.invoices] == [0]
    assert shop.rows("select cause, error_message from erp.integration_sync_logs order by started_at desc limit 1") == [
        ("noted", "Voided, since the shop has cancelled the order.")
    ]
    assert alerts(shop) == []
    writes = shop.writes()
    shop.serve()
    assert shop.writes() == writes


def test_edit_on_both_sides_waits_for_a_person_and_goes_on_when_both_agree(shop):
    invoice = shop.company.invoices[0]
    line = invoice["Line"][0]
    detail = {**line["SalesItemLineDetail"], "Qty": Decimal(3)}
    with shop.twin.person() as person:
        person.edit("Invoice", invoice["Id"], {"Line": [{**line, "Amount": "37.50", "SalesItemLineDetail": detail}]})
    one = OrderLine(product="p1", quantity=Decimal(1), unit_price=Decimal("12.50"))
    shop.order(paid=False, lines=[one])
    shop.serve()
    assert last(shop) == ("Abandoned", "edited-in-erp")
    (message,) = shop.rows("select last_error from erp.integration_deliveries where status = 'Abandoned'")[0]
    assert "sent 2 of item 1, NON, 25, stands 3 of item 1, NON, 37.5, the shop has 1 of item 1, NON, 12.5" in message
    three = OrderLine(product="p1", quantity=Decimal(3), unit_price=Decimal("12.50"))
    shop.order(paid=False, lines=[three])
    shop.serve()
    assert last(shop) == ("Completed", "Updated")
    assert [row["TotalAmt"] for row in shop.company.invoices] == [Decimal("37.50")]
