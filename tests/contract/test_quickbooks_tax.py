"""Taxes that QuickBooks computes otherwise than the shop, and the settings that say what to do then."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from erp_pipelines.domain import errors
from erp_pipelines.domain.connections import ConnectionSettings
from erp_pipelines.domain.orders import OrderLine
from erp_pipelines.domain.outcomes import Outcome
from tests.contract.connector_suite import ORDER, known, write
from tests.contract.quickbooks_shop import Shop
from tests.support.factories import make_order

ABROAD = {"tax_engine": "non_us", "country": "CA"}


def line(tax: str, price: str = "12.50") -> OrderLine:
    return OrderLine(product="p1", quantity=2, unit_price=price, tax=tax)


def recomputing(**own: Any) -> Shop:
    """A company whose automated tax (8 %) does not let itself be told."""
    shop = Shop({"honour_tax_override": False})
    item = shop.books.item("Rounding", Type="Service")
    shop.choose(own={"roundingItemId": item["Id"], **own})
    return shop


# --- cents that QuickBooks computes otherwise ---


def test_cents_are_made_up_for_on_a_line_of_their_own():
    shop = recomputing()
    done = shop.push(shop.order(lines=[line("1.98")]))
    assert (done.outcome, done.total) == (Outcome.CREATED, Decimal("26.98"))
    assert done.note == ("Rounding: QuickBooks comes to 27.00, the shop to 26.98: -0.02 stands on a line of its own.")
    (invoice,) = shop.company.invoices
    rounding = invoice["Line"][1]
    assert rounding["SalesItemLineDetail"]["ItemRef"]["name"] == "Rounding"
    assert (rounding["Amount"], rounding["SalesItemLineDetail"]["TaxCodeRef"]["value"]) == (Decimal("-0.02"), "NON")
    assert invoice["TxnTaxDetail"]["TotalTax"] == Decimal("2.00")


def test_without_an_item_for_it_the_total_is_left_to_the_engine_to_complain_of():
    shop = Shop({"honour_tax_override": False})
    done = shop.push(shop.order(lines=[line("1.98")]))
    assert (done.total, done.note, len(shop.company.invoices[0]["Line"])) == (Decimal("27.00"), "", 2)


def test_more_than_the_limit_is_no_rounding():
    shop = recomputing(roundingLimit="0.02")
    assert shop.push(shop.order(lines=[line("1.97")])).total == Decimal("27.00")


def test_total_that_agrees_costs_no_second_write():
    shop = recomputing()
    order = shop.order(lines=[line("2.00")])
    writes = shop.desk.calls.writes
    assert shop.push(order).note == ""
    assert shop.desk.calls.writes == writes + 1


def test_update_is_rounded_anew():
    shop = recomputing()
    order = shop.order(lines=[line("1.98")])
    first = shop.push(order)
    changed = make_order(lines=[line("2.41", "15.00")]).completed()
    done = shop.push(write(ORDER, changed, order.refs, known(first)))
    assert (done.outcome, done.total) == (Outcome.UPDATED, Decimal("32.41"))
    assert [one["Amount"] for one in shop.company.invoices[0]["Line"]] == [30, Decimal("0.01"), Decimal("30.01")]


@pytest.mark.parametrize("keys", [True, False])
@pytest.mark.parametrize("fault", ["drop_before_commit", "drop_after_commit"])
def test_lost_rounding_line_is_added_once_when_the_document_is_found(keys, fault):
    shop = Shop({"honour_tax_override": False}, twin={"honour_requestid": keys}, honour_requestid=keys)
    shop.choose(own={"roundingItemId": shop.books.item("Rounding", Type="Service")["Id"]})
    order = shop.order(lines=[line("1.98")])
    shop.books.twin.add_fault(fault, entity="Invoice", operation="update", times=9)
    with pytest.raises(errors.AnswerLost, match="The document stands"):
        shop.push(order)
    shop.books.twin.clear_faults()
    done = shop.push(order, in_doubt=True)
    assert (done.outcome, done.total) == (Outcome.ADOPTED, Decimal("26.98"))
    (invoice,) = shop.company.invoices
    assert [one["Amount"] for one in invoice["Line"]] == [25, Decimal("-0.02"), Decimal("24.98")]


def test_refused_rounding_line_leaves_the_document_as_it_is():
    shop = recomputing()
    order = shop.order(lines=[line("1.98")])
    with shop.books.twin.person() as person:
        person.deactivate("Item", shop.settings.provider_settings["roundingItemId"])
    done = shop.push(order)
    assert (done.outcome, done.total) == (Outcome.CREATED, Decimal("27.00"))


def test_document_edited_since_is_adopted_untouched():
    shop = recomputing()
    order = shop.order(lines=[line("1.98")])
    shop.books.twin.add_fault("drop_before_commit", entity="Invoice", operation="update", times=9)
    with pytest.raises(errors.AnswerLost):
        shop.push(order)
    shop.books.twin.clear_faults()
    with shop.books.twin.person() as person:
        person.edit("Invoice", shop.company.invoices[0]["Id"], {"CustomerMemo": {"value": "Thank you"}})
    assert shop.push(order, in_doubt=True).total == Decimal("27.00")


# --- settings against the company's own lists ---


def check(shop: Shop, **settings: Any) -> Any:
    own = settings.pop("own", None)
    after = ConnectionSettings(**settings, provider_settings=own)
    return shop.connector.check_settings(shop.facts, after, shop.desk.tokens)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"income_account_id": "999"}, "incomeAccountId: 999 is no active account"),
        ({"income_account_id": "1"}, "incomeAccountId: account 1 is of type Bank"),
        ({"deposit_account_id": "5"}, "depositAccountId: account 5 is of type Income"),
        ({"discount_account_id": "1"}, "discountAccountId: account 1 is of type Bank"),
        ({"shipping_item_id": "999"}, "shippingItemId: 999 is no active item"),
        ({"own": {"roundingItemId": "999"}}, "roundingItemId: 999 is no active item"),
        ({"tax_code_id": "999"}, "taxCodeId: 999 is no active tax code"),
        ({"exempt_tax_code_id": "1"}, "exemptTaxCodeId: the rates of tax code 1 come to 20 %"),
        ({"own": {"taxCodes": {"0.2": "2"}}}, "taxCodes.0.2: the rates of tax code 2 come to 5 %"),
    ],
)
def test_wrong_ids_are_named(settings, said):
    with pytest.raises(errors.RecordInvalid) as wrong:
        check(Shop(ABROAD), **settings)
    assert said in wrong.value.message
    assert wrong.value.mend


def test_right_ids_are_taken_and_the_tax_codes_read_anew():
    shop = Shop(ABROAD)
    own = {"taxCodes": {"0.2": "1", "0.05": "2", "0.14975": "4", "0": "3"}}
    facts = check(shop, income_account_id="5", deposit_account_id="1", exempt_tax_code_id="3", own=own)
    assert facts["taxCodes"]["4"] == {"active": True, "rates": {"2": "5", "4": "9.975"}}


def test_inactive_account_is_refused():
    shop = Shop()
    with shop.books.twin.person() as person:
        person.deactivate("Account", "5")
    with pytest.raises(errors.RecordInvalid, match="no active account"):
        check(shop, income_account_id="5")


def test_tax_codes_are_no_setting_in_the_us():
    with pytest.raises(errors.RecordInvalid, match="outside the US"):
        check(Shop(), own={"taxCodes": {"0.08": "2"}})


def test_what_has_not_changed_is_not_asked_for():
    shop = Shop(settings={"income_account_id": "999"})
    reads = len(shop.books.twin.calls.since())
    assert check(shop, income_account_id="999", sync_payments=False) == {}
    assert len(shop.books.twin.calls.since()) == reads


# --- tax codes in use ---


def test_rates_of_a_combined_code_are_booked_as_the_shop_computed_them():
    shop = Shop(ABROAD)
    shop.choose(own={"taxCodes": {"0.14975": "4"}})
    lines = [OrderLine(product="p1", quantity=1, unit_price="10.01", tax="1.50", tax_rate="0.14975")] * 3
    done = shop.push(shop.order(lines=lines))
    assert done.total == Decimal("34.53")
    booked = shop.company.invoices[0]["TxnTaxDetail"]["TaxLine"]
    assert [(one["TaxLineDetail"]["TaxRateRef"]["value"], one["Amount"]) for one in booked] == [
        ("2", Decimal("1.50")),
        ("4", Decimal("3.00")),
    ]


def test_prices_that_include_tax_come_to_what_the_customer_paid():
    shop = Shop(ABROAD)
    shop.choose(own={"taxCodes": {"0.2": "1"}})
    lines = [OrderLine(product="p1", quantity=3, unit_price="9.99", tax="4.99", tax_rate="0.2")]
    assert shop.push(shop.order(lines=lines, prices_include_tax=True)).total == Decimal("29.97")
    (invoice,) = shop.company.invoices
    assert (invoice["GlobalTaxCalculation"], invoice["TxnTaxDetail"]["TotalTax"]) == ("TaxInclusive", Decimal("4.99"))


def test_forms_offer_tax_codes_outside_the_us():
    shop = Shop(ABROAD)
    found = shop.connector.choices(shop.facts, shop.desk.tokens)
    assert found["taxCodeId"] == found["exemptTaxCodeId"] == found["providerSettings.taxCodes"]
    assert {one.id for one in found["taxCodeId"]} >= {"1", "2"}
