"""What becomes of an invoice when its order is edited or cancelled after it was sent."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from erp_pipelines.connectors.base import Pushed, Write
from erp_pipelines.connectors.quickbooks.mapper import body
from erp_pipelines.domain import errors
from erp_pipelines.domain.orders import OrderLine, OrderStatus
from erp_pipelines.domain.outcomes import Outcome
from tests.contract.connector_suite import ORDER, known, write
from tests.contract.quickbooks_shop import Shop
from tests.support.factories import make_order
from tests.unit.connectors.connector_support import books

THREE = OrderLine(product="p1", quantity=3, unit_price="12.50")


@pytest.fixture
def shop() -> Shop:
    return Shop()


def sent(shop: Shop) -> tuple[Write, Pushed]:
    order = shop.order()
    return order, shop.push(order)


def changed(order: Write, done: Pushed, **changes: Any) -> Write:
    return write(ORDER, make_order(**changes).completed(), order.refs, known(done))


def edit(shop: Shop, done: Pushed, **fields: Any) -> None:
    with shop.books.twin.person() as person:
        person.edit("Invoice", done.external_id, fields)


def by_hand(shop: Shop, amount: str, quantity: int) -> dict[str, Any]:
    """The invoice's line as a bookkeeper has corrected it."""
    line = shop.company.invoices[0]["Line"][0]
    detail = {**line["SalesItemLineDetail"], "Qty": Decimal(quantity)}
    return {"Line": [{**line, "Amount": Decimal(amount), "SalesItemLineDetail": detail}]}


# --- edited on both sides ---


def test_edit_on_both_sides_is_shown_side_by_side_and_overwrites_nothing(shop):
    order, done = sent(shop)
    edit(shop, done, **by_hand(shop, "12.50", 1), DueDate="2026-05-01")
    with pytest.raises(errors.Rejected) as refused:
        shop.push(changed(order, done, lines=[THREE]))
    assert (refused.value.cause, refused.value.definitive) == ("edited-in-erp", False)
    assert refused.value.message == (
        "Invoice o1 was edited in QuickBooks since it was last sent: "
        "line 1: sent 2 of item 1, NON, 25, stands 1 of item 1, NON, 12.5, the shop has 3 of item 1, NON, 37.5."
    )
    assert shop.company.invoices[0]["TotalAmt"] == Decimal("12.50")


def test_edit_that_a_notice_told_of_is_seen_too(shop):
    """The version that we know has moved with it: it is read before it is written to."""
    order, done = sent(shop)
    edit(shop, done, **by_hand(shop, "12.50", 1))
    update = changed(order, done, lines=[THREE])
    with pytest.raises(errors.Rejected, match="edited in QuickBooks"):
        shop.push(update, known=replace(known(done), sync_token="1"))


def test_line_that_was_added_there_is_not_lost(shop):
    order, done = sent(shop)
    lines = by_hand(shop, "25.00", 2)["Line"]
    edit(shop, done, Line=[*lines, {**lines[0], "Id": ""}])
    with pytest.raises(
        errors.Rejected, match="line 2: sent nothing, stands 2 of item 1, NON, 25, the shop has nothing"
    ):
        shop.push(changed(order, done, memo="Ring twice"))


def test_date_that_the_shop_sends_is_not_overwritten(shop):
    order, done = sent(shop)
    edit(shop, done, TxnDate="2026-03-09")
    with pytest.raises(errors.Rejected, match="date: sent 2026-03-01, stands 2026-03-09, the shop has 2026-03-01"):
        shop.push(changed(order, done, memo="x"))


def test_both_sides_that_agree_are_no_conflict(shop):
    order, done = sent(shop)
    edit(shop, done, **by_hand(shop, "37.50", 3))
    again = shop.push(changed(order, done, lines=[THREE]))
    assert (again.outcome, again.total) == (Outcome.UPDATED, Decimal("37.50"))


def test_what_an_update_leaves_alone_is_no_conflict(shop):
    order, done = sent(shop)
    edit(shop, done, BillEmail={"Address": "ap@c1.test"}, DueDate="2026-05-01")
    assert shop.push(changed(order, done, lines=[THREE])).total == Decimal("37.50")
    invoice = shop.company.invoices[0]
    assert (invoice["BillEmail"]["Address"], invoice["DueDate"]) == ("ap@c1.test", "2026-05-01")


def test_payment_is_no_edit(shop):
    order, done = sent(shop)
    with shop.books.twin.person() as person:
        person.pay(invoice_id=done.external_id, amount=Decimal(5))
    again = shop.push(changed(order, done, lines=[THREE]))
    assert (again.total, again.balance) == (Decimal("37.50"), Decimal("32.50"))


def test_update_of_what_nobody_touched_costs_no_read(shop):
    order, done = sent(shop)
    reads = shop.desk.calls.reads
    again = shop.push(changed(order, done, lines=[THREE]))
    shop.push(changed(order, again, memo="x"))
    assert shop.desk.calls.reads == reads


def test_tenant_may_have_the_shop_overwrite(shop):
    shop.choose(own={"whenEdited": "overwrite"})
    order, done = sent(shop)
    edit(shop, done, **by_hand(shop, "12.50", 1))
    assert shop.push(changed(order, done, lines=[THREE])).total == Decimal("37.50")


# --- cancelled ---


def cancelled(order: Write, done: Pushed | None = None) -> Write:
    record = make_order(status=OrderStatus.CANCELLED).completed()
    return write(ORDER, record, order.refs, known(done) if done else None)


def voided(shop: Shop) -> bool:
    return shop.company.invoices[0]["PrivateNote"].startswith("Voided")


def test_cancelled_order_has_another_body_than_the_one_that_stands(shop):
    order = shop.order()
    assert body(cancelled(order).record, order.refs, books()) != body(order.record, order.refs, books())


def test_cancelled_order_is_a_persons_job(shop):
    order, done = sent(shop)
    writes = shop.desk.calls.writes
    with pytest.raises(errors.Rejected, match="voids no document by itself") as refused:
        shop.push(cancelled(order, done))
    assert (refused.value.cause, refused.value.definitive) == ("cancelled-after-sync", True)
    assert "Void invoice o1" in refused.value.mend
    assert shop.desk.calls.writes == writes
    assert not voided(shop)


def test_cancelled_order_without_an_invoice_needs_nothing(shop):
    with pytest.raises(errors.Rejected) as refused:
        shop.push(cancelled(shop.order()))
    assert refused.value.cause == "cancelled"
    with pytest.raises(errors.Rejected, match="nobody knows") as refused:
        shop.push(cancelled(shop.order()), in_doubt=True)
    assert refused.value.cause == "cancelled-after-sync"


@pytest.mark.parametrize("how", ["void", "delete"])
def test_once_a_person_has_voided_it_all_is_well(shop, how):
    order, done = sent(shop)
    with shop.books.twin.person() as person:
        getattr(person, how)("Invoice", done.external_id)
    again = shop.push(cancelled(order, done))
    assert (again.outcome, again.external_id, again.total) == (Outcome.UNCHANGED, done.external_id, None)


def test_tenant_may_have_the_cancellation_void_it(shop):
    shop.choose(own={"cancelVoids": True})
    order, done = sent(shop)
    gone = shop.push(cancelled(order, done))
    assert (gone.outcome, gone.total, gone.void) == (Outcome.UPDATED, None, False)
    assert voided(shop)
    assert shop.push(cancelled(order, gone)).outcome is Outcome.UNCHANGED


def test_lost_answer_to_a_void_is_settled_by_looking(shop):
    shop.choose(own={"cancelVoids": True})
    order, done = sent(shop)
    shop.books.twin.add_fault("drop_after_commit", entity="Invoice", operation="void", times=1)
    shop.books.twin.add_fault("drop_before_commit", entity="Invoice", operation="void", times=9)
    with pytest.raises(errors.AnswerLost):
        shop.push(cancelled(order, done))
    shop.books.twin.clear_faults()
    assert shop.push(cancelled(order, done), in_doubt=True).outcome is Outcome.UNCHANGED
    assert [row["operation"] for row in shop.company.history if row["entity"] == "Invoice"] == ["Create", "Void"]


def test_invoice_with_money_on_it_is_never_voided(shop):
    shop.choose(own={"cancelVoids": True})
    order, done = sent(shop)
    with shop.books.twin.person() as person:
        person.pay(invoice_id=done.external_id, amount=Decimal(5))
    with pytest.raises(errors.Rejected, match="money was received"):
        shop.push(cancelled(order, done))
    assert not voided(shop)


def test_invoice_that_was_edited_is_never_voided(shop):
    shop.choose(own={"cancelVoids": True})
    order, done = sent(shop)
    edit(shop, done, **by_hand(shop, "12.50", 1))
    with pytest.raises(errors.Rejected, match="somebody has edited"):
        shop.push(cancelled(order, done))
    assert not voided(shop)
