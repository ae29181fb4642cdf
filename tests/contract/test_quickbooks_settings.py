"""The tenant's own choices on documents and money: accounts by payment method, overpayments, class, department, terms."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from erp_pipelines.connectors.base import Ref
from erp_pipelines.domain import errors
from erp_pipelines.domain.connections import ConnectionSettings
from erp_pipelines.domain.outcomes import Outcome
from tests.contract.connector_suite import CUSTOMER, write
from tests.contract.quickbooks_shop import Shop
from tests.support.factories import make_customer, make_product

CHECKING, UNDEPOSITED = "1", "3"
VISA, TRANSFER = "3", "5"


def named(shop: Shop, entity: str, name: str) -> str:
    """The id of a new row of a list."""
    return str(shop.books.post(entity, {"Name": name})["Id"])


# --- payments ---


@pytest.mark.parametrize(("method", "account", "kind"), [("Card", CHECKING, VISA), ("wire", UNDEPOSITED, TRANSFER)])
def test_method_decides_where_money_goes(method, account, kind):
    shop = Shop()
    shop.choose(
        deposit_account_id=UNDEPOSITED,
        own={"depositAccounts": {"card": CHECKING}, "paymentMethods": {"CARD": VISA, "Wire": TRANSFER}},
    )
    _, payment = shop.paid(method=method)
    shop.push(payment)
    (made,) = shop.company.payments
    assert (made["DepositToAccountRef"]["value"], made["PaymentMethodRef"]["value"]) == (account, kind)


def test_refund_leaves_the_account_of_its_method():
    shop = Shop()
    shop.choose(own={"depositAccounts": {"card": CHECKING}, "paymentMethods": {"card": VISA}})
    shop.push(shop.refund(method="card"))
    (receipt,) = shop.company.rows("RefundReceipt")
    assert (receipt["DepositToAccountRef"]["value"], receipt["PaymentMethodRef"]["value"]) == (CHECKING, VISA)


def overpaid(amount: str, already: str = "20.00", **own: Any) -> Any:
    """A payment of 10 for an invoice of 25 of which a bookkeeper has recorded a part."""
    shop = Shop()
    shop.choose(own={"overpayments": "unapplied", **own})
    invoice, payment = shop.paid(amount)
    with shop.books.twin.person() as person:
        person.pay(invoice_id=invoice.external_id, amount=Decimal(already))
    return shop, payment


def ours(shop: Shop) -> Any:
    return next(row for row in shop.company.payments if "PrometheusId" in row.get("PrivateNote", ""))


def test_what_is_beyond_the_open_balance_is_left_unapplied():
    shop, payment = overpaid("10.00")
    done = shop.push(payment)
    assert (done.outcome, done.total) == (Outcome.CREATED, Decimal("10.00"))
    assert done.note == "5.00 of it is beyond the open balance and left unapplied."
    assert ours(shop)["UnappliedAmt"] == Decimal("5.00")
    assert shop.company.invoices[0]["Balance"] == 0


def test_payment_of_a_paid_invoice_is_unapplied_whole():
    shop, payment = overpaid("10.00", already="25.00")
    shop.push(payment)
    assert (ours(shop)["UnappliedAmt"], ours(shop)["Line"]) == (Decimal("10.00"), [])


def test_unapplied_payment_whose_answer_was_lost_is_found_and_not_doubled():
    shop, payment = overpaid("10.00")
    shop.books.twin.add_fault("drop_after_commit", entity="Payment", operation="create", times=1)
    shop.books.twin.add_fault("drop_before_commit", entity="Payment", operation="create", times=9)
    with pytest.raises(errors.AnswerLost):
        shop.push(payment)
    shop.books.twin.clear_faults()
    done = shop.push(payment, in_doubt=True)
    assert done.outcome in {Outcome.ADOPTED, Outcome.CREATED}
    assert len(shop.company.payments) == 2
    again = shop.push(payment, in_doubt=True)
    assert (again.outcome, again.external_id) == (Outcome.ADOPTED, done.external_id)
    assert len(shop.company.payments) == 2


def test_other_refusals_stay_refusals():
    shop, payment = overpaid("5.00")
    other = payment.record.model_copy(update={"currency": "USD"})
    stranger = shop.push(write(CUSTOMER, make_customer("c9", name="Stranger")))
    refs = {**payment.refs, CUSTOMER: stranger.external_id}
    with pytest.raises(errors.Rejected) as refused:
        shop.push(payment, record=other, refs=refs)
    assert refused.value.erp_code == "620"
    assert len(shop.company.payments) == 1


# --- class, department, terms ---


def test_class_and_department_are_on_invoices_and_refunds():
    shop = Shop()
    web, north = named(shop, "class", "Web"), named(shop, "department", "North")
    shop.choose(own={"classId": web, "departmentId": north, "refundAccountId": CHECKING})
    shop.push(shop.refund())
    for document in (*shop.company.invoices, *shop.company.rows("RefundReceipt")):
        assert (document["ClassRef"]["name"], document["DepartmentRef"]["name"]) == ("Web", "North")


def test_income_accounts_by_the_kind_of_product():
    shop = Shop()
    services, sales = shop.company.account("Services"), shop.company.account("Sales of Product Income")
    shop.choose(own={"incomeAccounts": {"service": services}}, income_account_id=sales)
    for product in (make_product("p1", kind="service"), make_product("p2")):
        shop.push(write(Ref("Product", product.id), product))
    assert [row["IncomeAccountRef"]["value"] for row in shop.company.items] == [services, sales]


def test_terms_of_the_customer_give_the_due_date():
    shop = Shop()
    shop.choose(own={"terms": {"net 30": "3"}})
    shop.push(write(CUSTOMER, make_customer(terms="Net 30")))
    shop.push(shop.order(order_date=dt.date(2026, 3, 1)))
    assert shop.company.invoices[0]["DueDate"] == "2026-03-31"
    shop.push(write(CUSTOMER, make_customer("c2", name="Other", terms="never heard of")))
    assert "SalesTermRef" not in shop.company.customers[1]


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"classId": "9"}, "classId: 9 is no active Class"),
        ({"departmentId": "9"}, "departmentId: 9 is no active Department"),
        ({"terms": {"Net 30": "9"}}, "terms.net 30: 9 is no active Term"),
        ({"paymentMethods": {"card": "9"}}, "paymentMethods.card: 9 is no active PaymentMethod"),
        ({"depositAccounts": {"card": "5"}}, "depositAccounts.card: account 5 is of type Income"),
        ({"refundAccountId": "5"}, "refundAccountId: account 5 is of type Income"),
        ({"refundItemId": "9"}, "refundItemId: 9 is no active item"),
        ({"incomeAccounts": {"service": CHECKING}}, "incomeAccounts.service: account 1 is of type Bank"),
    ],
)
def test_wrong_choices_are_named_when_they_are_made(own, said):
    shop = Shop()
    after = ConnectionSettings(provider_settings=own)
    with pytest.raises(errors.RecordInvalid) as wrong:
        shop.connector.check_settings(shop.facts, after, shop.desk.tokens)
    assert said in wrong.value.message


def test_right_choices_are_taken():
    shop = Shop()
    own = {"classId": named(shop, "class", "Web"), "terms": {"Net 30": "3"}, "paymentMethods": {"card": VISA}}
    after = ConnectionSettings(provider_settings=own)
    assert shop.connector.check_settings(shop.facts, after, shop.desk.tokens) == {}


# --- what forms may offer ---


def offered(shop: Shop) -> dict[str, dict[str, str]]:
    found = shop.connector.choices(shop.facts, shop.desk.tokens)
    return {path: {one.id: one.name for one in choices} for path, choices in found.items()}


def test_forms_offer_what_fits_of_the_companys_lists():
    shop = Shop()
    web = named(shop, "class", "Web")
    found = offered(shop)
    assert found["providerSettings.classId"] == {web: "Web"}
    assert found["providerSettings.paymentMethods"][VISA] == "Visa"
    assert CHECKING in found["depositAccountId"]
    assert CHECKING not in found["incomeAccountId"]
    assert found["providerSettings.depositAccounts"] == found["depositAccountId"]
    assert "taxCodeId" not in found  # lines in the US take TAX or NON
    for path, account in (("incomeAccountId", "1"), ("depositAccountId", "5")):
        assert account not in found[path]
    names = [name.casefold() for name in found["depositAccountId"].values()]
    assert names == sorted(names)


def test_a_list_that_is_too_long_for_a_form_is_left_out(monkeypatch):
    shop = Shop()
    terms = offered(shop)["providerSettings.terms"]
    monkeypatch.setattr("erp_pipelines.connectors.quickbooks.choices.MOST_ROWS", len(terms))
    assert "providerSettings.terms" not in offered(shop)


def test_a_list_that_the_company_refuses_is_left_out():
    shop = Shop()
    before = offered(shop)
    shop.books.twin.add_fault("status", entity="Term", status=400, times=1)
    assert offered(shop) == {path: found for path, found in before.items() if path != "providerSettings.terms"}
