"""One payment for several orders: one document in each ERP, with a line for each order's invoice."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from erp_pipelines.connectors.base import ExternalRef, Moved, Ref
from erp_pipelines.domain import errors
from erp_pipelines.domain.outcomes import Outcome
from erp_pipelines.domain.payments import Payment
from tests.contract.connector_suite import CUSTOMER, write
from tests.contract.netsuite_connection import Connection
from tests.contract.quickbooks_shop import Shop
from tests.support.factories import make_order

PAYMENT = Ref("Payment", "pay1")


def payment(amount="40.00", **parts):
    """For orders o1 and o2, unless others are named."""
    parts = parts or {"o1": "25.00", "o2": "15.00"}
    allocations = [{"order_id": one, "amount": part} for one, part in parts.items()]
    first, day = next(iter(parts)), dt.date(2026, 3, 2)
    return Payment(id="pay1", order_id=first, amount=amount, currency="USD", date=day, allocations=allocations)


def orders(erp):
    """The ERP's ids of orders o1 and o2, 25.00 each, and of their customer."""
    wanted = erp.order()
    refs = {CUSTOMER: wanted.refs[CUSTOMER], Ref("Order", "o1"): erp.push(wanted).external_id}
    second = write(Ref("Order", "o2"), make_order("o2").completed(), wanted.refs)
    return {**refs, Ref("Order", "o2"): erp.push(second).external_id}


# --- QuickBooks ---


@pytest.fixture
def shop():
    return Shop()


def balances(shop):
    return {row["DocNumber"]: row["Balance"] for row in shop.company.invoices}


def only_payment(shop):
    (found,) = shop.company.payments
    return found


def links(doc):
    return {line["LinkedTxn"][0]["TxnId"]: line["Amount"] for line in doc["Line"]}


def test_quickbooks_gets_one_payment_with_a_line_for_each_invoice(shop):
    refs = orders(shop)
    done = shop.push(write(PAYMENT, payment(), refs))
    first, second = refs[Ref("Order", "o1")], refs[Ref("Order", "o2")]
    assert (done.outcome, done.total) == (Outcome.CREATED, Decimal("40.00"))
    assert links(only_payment(shop)) == {first: Decimal("25.00"), second: Decimal("15.00")}
    assert balances(shop) == {"o1": 0, "o2": Decimal("10.00")}
    assert done.moved == (
        Moved(ExternalRef("Invoice", first), Decimal("25.00"), 1), Moved(ExternalRef("Invoice", second), Decimal("15.00"), 1),
    )  # fmt: skip


def test_quickbooks_repeats_and_doubts_make_no_second_payment(shop):
    wanted = write(PAYMENT, payment(), orders(shop))
    first = shop.push(wanted)
    assert shop.push(wanted).external_id == first.external_id
    again = shop.push(wanted, in_doubt=True)
    assert (again.outcome, again.external_id) == (Outcome.ADOPTED, first.external_id)
    assert len(shop.company.payments) == 1


def test_what_is_sent_again_after_a_doubt_tells_nothing_of_the_invoices(shop):
    wanted = write(PAYMENT, payment(), orders(shop))
    done = shop.push(wanted, in_doubt=True)
    assert (done.outcome, done.moved) == (Outcome.CREATED, ())


def test_the_truth_about_such_a_payment_names_both_invoices(shop):
    refs = orders(shop)
    done = shop.push(write(PAYMENT, payment(), refs))
    truth = shop.session.truth([ExternalRef("Payment", done.external_id)])
    assert {state.ref.external_id: state.balance for state in truth.documents} == {
        refs[Ref("Order", "o1")]: 0, refs[Ref("Order", "o2")]: Decimal("10.00"),
    }  # fmt: skip


def test_quickbooks_waits_for_every_order(shop):
    refs = orders(shop)
    with pytest.raises(errors.RequirementMissing) as missing:
        shop.push(write(PAYMENT, payment(o1="25.00", o3="15.00"), refs))
    assert missing.value.requirement == "mapping:Order:o3"
    assert not shop.company.payments


def test_money_for_no_order_waits_for_the_tenants_word_and_stands_as_a_credit_then(shop):
    refs = orders(shop)
    wanted = write(PAYMENT, payment("60.00", o1="25.00", o2="25.00"), refs)
    with pytest.raises(errors.RequirementMissing, match=r"10\.00 of payment pay1 is for no order") as missing:
        shop.push(wanted)
    assert missing.value.requirement == "setting:overpayments"
    assert not shop.company.payments
    shop.choose(own={"overpayments": "unapplied"})
    shop.push(wanted)
    assert only_payment(shop)["UnappliedAmt"] == Decimal("10.00")
    assert balances(shop) == {"o1": 0, "o2": 0}


def test_what_a_bookkeeper_has_received_meanwhile_is_left_unapplied_invoice_by_invoice(shop):
    shop.choose(own={"overpayments": "unapplied"})
    refs = orders(shop)
    with shop.books.twin.person() as person:
        person.pay(invoice_id=refs[Ref("Order", "o1")], amount=Decimal("20.00"))
    done = shop.push(write(PAYMENT, payment(), refs))
    made = next(row for row in shop.company.payments if row["Id"] == done.external_id)
    assert links(made) == {refs[Ref("Order", "o1")]: Decimal("5.00"), refs[Ref("Order", "o2")]: Decimal("15.00")}
    assert made["UnappliedAmt"] == Decimal("20.00")
    assert done.note == "20.00 of it is beyond the open balance and left unapplied."


def test_an_overpayment_is_an_open_error_where_the_tenant_wants_to_be_asked(shop):
    refs = orders(shop)
    with shop.books.twin.person() as person:
        person.pay(invoice_id=refs[Ref("Order", "o1")], amount=Decimal("20.00"))
    with pytest.raises(errors.Rejected) as refused:
        shop.push(write(PAYMENT, payment(), refs))
    assert refused.value.erp_code == "6000"
    assert len(shop.company.payments) == 1


# --- NetSuite ---


@pytest.fixture
def netsuite():
    return Connection(own={"document": "invoice"})


def applied(erp):
    return {line["doc"]: Decimal(line["amount"]) for line in erp.only("customerPayment")["apply"]}


def test_netsuite_gets_one_payment_that_is_applied_to_each_invoice(netsuite):
    refs = orders(netsuite)
    done = netsuite.push(write(PAYMENT, payment(), refs))
    assert done.outcome is Outcome.CREATED
    assert applied(netsuite) == {refs[Ref("Order", "o1")]: Decimal(25), refs[Ref("Order", "o2")]: Decimal(15)}
    assert [row["amountRemaining"] for row in netsuite.rows("invoice")] == [0, 10]


def test_netsuite_settles_the_invoices_of_sales_orders():
    erp = Connection(own={"transformToInvoice": "always"})
    refs = orders(erp)
    erp.push(write(PAYMENT, payment(), refs))
    assert applied(erp) == {row["id"]: part for row, part in zip(erp.rows("invoice"), (25, 15), strict=True)}


def test_netsuite_leaves_what_is_for_no_order_unapplied(netsuite):
    refs = orders(netsuite)
    netsuite.push(write(PAYMENT, payment("60.00", o1="25.00", o2="25.00"), refs))
    assert netsuite.only("customerPayment")["payment"] == 60
    assert sum(applied(netsuite).values()) == 50


def test_netsuite_repeats_make_no_second_payment(netsuite):
    wanted = write(PAYMENT, payment(), orders(netsuite))
    first = netsuite.push(wanted)
    assert netsuite.push(wanted).external_id == first.external_id
    assert netsuite.push(wanted, in_doubt=True).external_id == first.external_id
    assert len(netsuite.rows("customerPayment")) == 1


def test_netsuite_waits_for_every_order(netsuite):
    with pytest.raises(errors.RequirementMissing) as missing:
        netsuite.push(write(PAYMENT, payment(o1="25.00", o3="15.00"), orders(netsuite)))
    assert missing.value.requirement == "mapping:Order:o3"
    assert not netsuite.rows("customerPayment")
