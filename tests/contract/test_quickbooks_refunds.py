"""Refunds as refund receipts or credit memos, against the twin."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from erp_pipelines.connectors.base import ExternalRef
from erp_pipelines.domain import errors
from erp_pipelines.domain.outcomes import Outcome
from tests.contract.connector_suite import CUSTOMER, known, write
from tests.contract.quickbooks_shop import REFUND, Shop
from tests.contract.twin_support import REALM
from tests.support.factories import make_customer

MEMO = {"refundAs": "creditMemo"}
CHECKING = "1"


def shop_with(own: dict[str, Any] | None = None, company: dict[str, Any] | None = None, **options: Any) -> Shop:
    shop = Shop(company, **options)
    shop.choose(own={"refundAccountId": CHECKING, **(own or {})})
    return shop


def documents(shop: Shop) -> list[Any]:
    return [*shop.company.rows("RefundReceipt"), *shop.company.rows("CreditMemo")]


def test_receipt_says_which_account_the_money_left():
    shop = shop_with()
    refund = shop.refund(reference="re_42", method="card", reason="Broken")
    done = shop.push(refund)
    assert (done.outcome, done.external_type, done.total) == (Outcome.CREATED, "RefundReceipt", Decimal("12.50"))
    (receipt,) = documents(shop)
    assert (receipt["DepositToAccountRef"]["value"], receipt["PaymentRefNum"]) == (CHECKING, "re_42")
    assert (receipt["DocNumber"], receipt["TxnDate"]) == ("o1-R1", "2026-03-05")
    assert receipt["PrivateNote"] == ("PrometheusId:o1-R1\nRefund of order o1\nBroken\nReference: re_42\nMethod: card")
    assert shop.company.invoices[0]["Balance"] == Decimal("25.00")


def test_memo_leaves_the_customer_a_credit():
    shop = shop_with(MEMO)
    done = shop.push(shop.refund())
    assert (done.external_type, done.total, done.balance) == ("CreditMemo", Decimal("12.50"), Decimal("12.50"))
    assert shop.company.customers[0]["Balance"] == Decimal("12.50")


def test_tax_and_shipping_are_given_back_to_the_cent():
    shop = shop_with()
    lines = [{"line": 1, "product": "p1", "quantity": 3, "unit_price": "9.99", "discount": "0.99", "tax": "2.31"}]
    refund = shop.refund(lines=lines, shipping={"amount": "5.00", "tax": "0.41"})
    assert shop.push(refund).total == Decimal("36.70")
    (receipt,) = documents(shop)
    assert receipt["TxnTaxDetail"]["TotalTax"] == Decimal("2.72")


def test_amount_for_no_line_is_on_its_own_item():
    shop = shop_with()
    with pytest.raises(errors.RequirementMissing) as missing:
        shop.push(shop.refund(lines=[], adjustment="5.00"))
    assert missing.value.requirement == "setting:refundItemId"
    item = shop.books.item("Goodwill", Type="Service")
    shop.choose(own={"refundAccountId": CHECKING, "refundItemId": item["Id"]})
    assert shop.push(shop.refund(lines=[], adjustment="5.00", reason="Sorry")).total == Decimal("5.00")
    (line, _) = documents(shop)[0]["Line"]
    assert (line["Description"], line["SalesItemLineDetail"]["TaxCodeRef"]["value"]) == ("Sorry", "NON")


def test_receipt_without_an_account_is_asked_for():
    shop = Shop()
    with pytest.raises(errors.RequirementMissing) as missing:
        shop.push(shop.refund())
    assert missing.value.requirement == "setting:refundAccountId"
    assert documents(shop) == []
    shop.choose(deposit_account_id=CHECKING)
    assert shop.push(shop.refund()).outcome is Outcome.CREATED


@pytest.mark.parametrize("own", [{}, MEMO])
def test_repeat_makes_nothing_new(own):
    shop = shop_with(own)
    refund = shop.refund()
    first, again = shop.push(refund), shop.push(refund)
    assert first.external_id == again.external_id
    assert len(documents(shop)) == 1


def test_known_refund_is_never_touched():
    shop = shop_with()
    refund = shop.refund()
    done = shop.push(refund)
    calls = len(shop.sent())
    again = shop.push(refund, known=known(done))
    assert (again.outcome, again.external_id) == (Outcome.UNCHANGED, done.external_id)
    assert len(shop.sent()) == calls


@pytest.mark.parametrize("custom_numbers", [True, False])
@pytest.mark.parametrize("own", [{}, MEMO])
def test_in_doubt_is_found_by_its_mark(own, custom_numbers):
    shop = shop_with(own, {"custom_txn_numbers": custom_numbers})
    refund = shop.refund()
    shop.books.twin.add_fault("drop_after_commit", operation="create", times=1)
    shop.books.twin.add_fault("drop_before_commit", operation="create", times=9)
    with pytest.raises(errors.AnswerLost):
        shop.push(refund)
    shop.books.twin.clear_faults()
    done = shop.push(refund, in_doubt=True)
    assert done.outcome is Outcome.ADOPTED
    assert [row["Id"] for row in documents(shop)] == [done.external_id]


def test_in_doubt_is_found_although_the_other_kind_is_wanted_since():
    shop = shop_with()
    refund = shop.refund()
    first = shop.push(refund)
    shop.choose(own=MEMO)
    done = shop.push(refund, in_doubt=True)
    assert (done.outcome, done.external_type, done.external_id) == (Outcome.ADOPTED, "RefundReceipt", first.external_id)


def test_in_doubt_and_absent_is_sent():
    shop = shop_with()
    assert shop.push(shop.refund(), in_doubt=True).outcome is Outcome.CREATED


def test_refund_voided_meanwhile_is_known_for_ours():
    shop = shop_with()
    refund = shop.refund()
    first = shop.push(refund)
    with shop.books.twin.person() as person:
        person.void("RefundReceipt", first.external_id)
    done = shop.session.find(refund)
    assert (done.external_id, done.void) == (first.external_id, True)


def test_number_of_a_strangers_receipt_is_explained():
    shop = shop_with(company={"warn_duplicate_numbers": True})
    refund = shop.refund()
    account = {"DepositToAccountRef": {"value": CHECKING}}
    shop.books.post("refundreceipt", shop.books.draft(DocNumber="o1-R1", **account))
    with pytest.raises(errors.NameTaken, match="refund o1-R1"):
        shop.push(refund)


def test_closed_books_refuse_it():
    shop = shop_with()
    refund = shop.refund()
    shop.books.twin.add_company(REALM, book_close_date="2026-03-31")
    with pytest.raises(errors.Rejected) as refused:
        shop.push(refund)
    assert refused.value.erp_code == "6200"


def test_foreign_refund_has_the_orders_rate_else_its_invoices():
    shop = shop_with(company={"multicurrency": True})
    shop.push(write(CUSTOMER, make_customer(currency="EUR")))
    refund = shop.refund(currency="EUR")
    shop.company.invoices[0]["ExchangeRate"] = Decimal("1.07")
    shop.push(refund)
    shop.push(shop.refund(id="o1-R2", currency="EUR", exchange_rate="1.08"), ref=REFUND)
    assert [row["ExchangeRate"] for row in documents(shop)] == [Decimal("1.07"), Decimal("1.08")]


def test_page_of_a_refund_opens_in_quickbooks():
    shop = shop_with()
    assert shop.connector.document_url(shop.facts, ExternalRef("RefundReceipt", "9")).endswith("refundreceipt?txnId=9")
