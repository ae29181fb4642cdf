"""Refunds on their way into QuickBooks: after their order, once, and whole."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from erp_pipelines.commerce.returns import Returned
from erp_pipelines.domain.errors import RecordInvalid
from tests.support.books import Shop

CHECKING = "1"


@pytest.fixture
def shop(database: Any, clock: Any) -> Shop:
    return Shop(database, clock)


def refund_states(shop: Shop) -> list[tuple[Any, ...]]:
    return shop.rows(
        "select entity_id, status, coalesce(outcome, requirement, cause) from erp.integration_deliveries"
        " where entity_type = 'Refund' order by seq"
    )


def receipts(shop: Shop) -> list[Any]:
    return shop.company.rows("RefundReceipt")


def test_refund_follows_its_order_and_payment(shop):
    shop.settings(providerSettings={"refundAccountId": CHECKING})
    shop.sale()
    shop.refund(lines=[Returned(1, Decimal(1))])
    shop.serve()
    assert refund_states(shop) == [("o1-R1", "Completed", "Created")]
    assert [row["TotalAmt"] for row in receipts(shop)] == [Decimal("12.50")]
    assert (len(shop.company.invoices), len(shop.company.payments)) == (1, 1)
    mapped = shop.rows(
        "select external_type, external_number from erp.integration_entity_mappings where entity_type = 'Refund'"
    )
    assert mapped == [("RefundReceipt", "o1-R1")]


def test_wholly_refunded_order_keeps_its_invoice_as_it_is(shop):
    shop.settings(providerSettings={"refundAccountId": CHECKING})
    shop.sale()
    shop.serve()
    shop.refund()
    writes = shop.writes()
    shop.serve()
    assert shop.writes() == writes + 1
    assert shop.company.invoices[0]["Balance"] == 0
    assert [row["TotalAmt"] for row in receipts(shop)] == [Decimal("25.00")]


def test_refund_waits_for_the_account_and_goes_on_by_itself(shop):
    shop.sale()
    shop.refund()
    shop.serve()
    assert refund_states(shop) == [("o1-R1", "Abandoned", "setting:refundAccountId")]
    assert receipts(shop) == []
    shop.settings(providerSettings={"refundAccountId": CHECKING})
    shop.serve()
    assert [row["TotalAmt"] for row in receipts(shop)] == [Decimal("25.00")]


def test_wrong_account_is_refused_where_it_is_chosen(shop):
    with pytest.raises(RecordInvalid, match="no active account"):
        shop.settings(providerSettings={"refundAccountId": "999"})
    assert shop.rows("select settings from erp.integration_connections") == [({},)]


def test_refund_whose_answer_was_lost_stands_once(shop):
    shop.settings(providerSettings={"refundAccountId": CHECKING})
    shop.sale()
    shop.serve()
    shop.refund()
    shop.twin.add_fault("drop_after_commit", entity="RefundReceipt", operation="create", times=1)
    shop.twin.add_fault("drop_before_commit", entity="RefundReceipt", times=9)
    shop.serve()
    assert refund_states(shop) == [("o1-R1", "Failed", "in-doubt")]
    shop.twin.clear_faults()
    shop.clock.advance(seconds=600)
    shop.serve()
    assert refund_states(shop) == [("o1-R1", "Completed", "Adopted")]
    assert len(receipts(shop)) == 1


def test_refund_of_a_part_paid_order_comes_when_the_order_becomes_a_document(shop):
    shop.settings(providerSettings={"refundAccountId": CHECKING, "refundItemId": shop.twin_item("Goodwill")})
    shop.customer()
    shop.product()
    shop.order(paid=False)
    shop.pay(amount=Decimal("10.00"))
    shop.refund(amount=Decimal("4.00"))
    shop.serve()
    assert refund_states(shop) == [("o1-R1", "Completed", "NotWanted")]
    shop.pay()
    shop.serve()
    assert refund_states(shop)[-1] == ("o1-R1", "Completed", "Created")
    assert [row["TotalAmt"] for row in receipts(shop)] == [Decimal("4.00")]
