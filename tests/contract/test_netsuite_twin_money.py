"""Prices, discounts, shipping and tax of the NetSuite twin, to the cent."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.contract.netsuite_twin_support import Shop

D = Decimal


@pytest.fixture
def shop():
    made = Shop(tax_rate_percent=0)
    made.stocked()
    return made


def totals(shop, order, *names):
    body = shop.get(f"salesOrder/{order}")
    return [body[name] for name in names or ("subtotal", "discountTotal", "taxTotal", "total")]


def first(shop, order):
    return shop.whole(f"salesOrder/{order}")["item"]["items"][0]


def custom(**more):
    return {"price": {"id": "-1"}, **more}


def test_total_is_quantity_times_rate_with_discount_and_shipping(shop):
    discount = shop.post(
        "discountItem", {"itemId": "Off", "subsidiary": {"items": [{"id": "1"}]}, "taxSchedule": {"id": "1"}}
    )
    order = shop.order(
        custom(quantity="3", rate="19.99"), custom(quantity=1, rate="0.335"),
        discountItem={"id": discount}, discountRate="-10%", shippingCost="7.50", handlingCost=1,
    )  # fmt: skip
    assert totals(shop, order) == [D("60.31"), D("-6.03"), D("0.00"), D("62.78")]
    shop.patch(f"salesOrder/{order}", {"discountRate": -5})
    assert totals(shop, order) == [D("60.31"), D("-5.00"), D("0.00"), D("63.81")]


def test_discount_needs_its_item(shop):
    lines = {"items": [{"item": {"id": "201"}}]}
    answer = shop.refused("POST", "salesOrder", {"entity": {"id": "101"}, "discountRate": "-5%", "item": lines})
    assert answer[2].endswith("Please enter value(s) for: Discount Item.")


def test_discount_line_takes_off_a_share_of_the_line_above_it(shop):
    body = {"itemId": "Off", "subsidiary": {"items": [{"id": "1"}]}, "taxSchedule": {"id": "1"}, "rate": "-10%"}
    off = shop.post("discountItem", body)
    order = shop.order(custom(quantity=2, rate=20), {"item": {"id": off}}, {"item": {"id": off}, "rate": "-1.50"})
    assert [line["amount"] for line in shop.whole(f"salesOrder/{order}")["item"]["items"]] == [
        40,
        D("-4.00"),
        D("-1.50"),
    ]
    assert totals(shop, order, "total") == [D("34.50")]
    shop.patch(f"salesOrder/{order}", {"item": {"items": [{"line": 1, "quantity": 1}, {"line": 3, "amount": "-1.00"}]}})
    assert totals(shop, order, "total") == [D("17.00")]


def test_amount_without_rate_makes_the_rate(shop):
    order = shop.order({"quantity": 4, "amount": "10.00"})
    line = first(shop, order)
    assert (line["rate"], line["amount"], line["price"]["id"]) == (D("2.5"), D("10.00"), "-1")
    shop.patch(f"salesOrder/{order}", {"item": {"items": [{"line": 1, "quantity": 8}]}})
    assert totals(shop, order, "total") == [D("20.00")]


PRICES = {
    "items": [
        {"priceLevel": {"id": "1"}, "currencyPage": {"id": "1"}, "quantity": {"value": 0}, "price": "9.00"},
        {"priceLevel": {"id": "1"}, "currencyPage": {"id": "1"}, "quantity": {"value": 10}, "price": "8.00"},
        {"priceLevel": {"id": "2"}, "currencyPage": {"id": "1"}, "price": "7.00"},
    ]
}


@pytest.mark.parametrize(("quantity", "level", "rate"), [(1, None, 9), (10, None, 8), (10, "2", 7), (1, "2", 7)])
def test_rate_comes_from_the_price_level_and_the_quantity(shop, quantity, level, rate):
    shop.patch("nonInventorySaleItem/201", {"price": PRICES})
    order = shop.order({"quantity": quantity, **({"price": {"id": level}} if level else {})})
    assert first(shop, order)["rate"] == rate


def test_sent_rate_gives_way_to_the_price_level_unless_the_level_is_custom(shop):
    shop.patch("nonInventorySaleItem/201", {"price": PRICES})
    assert first(shop, shop.order({"quantity": 1, "rate": 5}))["rate"] == 9
    assert first(shop, shop.order(custom(quantity=1, rate=5)))["rate"] == 5
    shop.twin.add_account("1234567", price_level_overrides_rate=False)
    line = first(shop, shop.order({"quantity": 1, "rate": 5}))
    assert (line["rate"], line["price"]["id"]) == (5, "-1")


def test_price_line_is_known_by_currency_level_and_quantity(shop):
    shop.patch("nonInventorySaleItem/201", {"price": PRICES})
    changed = {"priceLevel": {"id": "2"}, "currencyPage": {"id": "1"}, "quantity": {"value": 0}, "price": "6.50"}
    shop.patch("nonInventorySaleItem/201", {"price": {"items": [changed]}})
    assert len(shop.whole("nonInventorySaleItem/201")["price"]["items"]) == 3
    assert shop.get("nonInventorySaleItem/201/price/currencypage=1,pricelevel=2,quantity=0")["price"] == D("6.50")


def test_customers_price_level_is_the_default(shop):
    shop.patch("nonInventorySaleItem/201", {"price": PRICES})
    shop.patch("customer/101", {"priceLevel": {"id": "2"}})
    assert first(shop, shop.order({"quantity": 1}))["rate"] == 7


# --- SuiteTax ---


def test_suite_tax_has_a_result_of_its_own(shop):
    shop.twin.add_account("1234567", tax_rate_percent="8.25")
    order = shop.order(custom(quantity=1, rate="10.10"), custom(quantity=1, rate="0.70"))
    assert totals(shop, order) == [D("10.80"), 0, D("0.89"), D("11.69")]


def override(*amounts):
    rows = [{"taxDetailsReference": f"NEW_{n}", "taxCode": {"id": "1"}, "taxType": {"id": "1"}, "taxBasis": 10, "taxRate": 8, "taxAmount": amount} for n, amount in enumerate(amounts)]  # fmt: skip
    return {"taxDetailsOverride": True, "taxDetails": {"items": rows}}


def test_tax_override_counts_to_the_cent_and_survives_billing(shop):
    shop.twin.add_account("1234567", tax_rate_percent=8)
    order = shop.order(
        custom(quantity=1, rate=10, taxDetailsReference="NEW_0"), custom(quantity=2, rate=5, taxDetailsReference="NEW_1"), **override("0.81", "0.79")
    )  # fmt: skip
    assert totals(shop, order) == [20, 0, D("1.60"), D("21.60")]
    invoice = shop.post(f"salesOrder/{order}/!transform/invoice", {})
    body = shop.whole(f"invoice/{invoice}")
    assert (body["taxTotal"], body["total"], len(body["taxDetails"]["items"])) == (D("1.60"), D("21.60"), 2)


def test_part_of_a_line_is_billed_with_its_part_of_the_tax(shop):
    order = shop.order(custom(quantity=4, rate=10, taxDetailsReference="NEW_0"), **override("3.30"))
    taxes = [
        shop.get(f"invoice/{shop.post(f'salesOrder/{order}/!transform/invoice', body)}")["taxTotal"]
        for body in ({"item": {"items": [{"orderLine": 1, "quantity": 1}]}}, {})
    ]
    assert taxes == [D("0.83"), D("2.48")]


def test_agreed_price_is_billed_whatever_the_price_list_says_by_then(shop):
    shop.patch("nonInventorySaleItem/201", {"price": PRICES})
    order = shop.order({"quantity": 2})
    shop.patch("nonInventorySaleItem/201", {"price": {"items": [{"price": "99.00"}]}}, replace="price")
    line = shop.whole(f"invoice/{shop.post(f'salesOrder/{order}/!transform/invoice')}")["item"]["items"][0]
    assert (line["rate"], line["amount"]) == (9, 18)


def test_override_sent_again_changes_the_detail_instead_of_adding_one(shop):
    order = shop.order(custom(quantity=1, rate=10, taxDetailsReference="NEW_0"), **override("0.81"))
    shop.patch(f"salesOrder/{order}", override("0.85"))
    assert totals(shop, order, "taxTotal") == [D("0.85")]


def test_override_for_a_line_that_is_not_there_is_refused(shop):
    lines = {"items": [{"item": {"id": "201"}, "quantity": 1, "taxDetailsReference": "NEW_1"}]}
    answer = shop.refused("POST", "salesOrder", {"entity": {"id": "101"}, "item": lines, **override("0.81")})
    assert answer[:2] == (400, "USER_ERROR")
    assert shop.account.rows("salesOrder") == []


def test_legacy_fields_are_unknown_where_suite_tax_is_on(shop):
    line = {"item": {"id": "201"}, "quantity": 1, "taxCode": {"id": "1"}}
    answer = shop.call(
        "POST", "salesOrder", {"entity": {"id": "101"}, "taxItem": {"id": "1"}, "item": {"items": [line]}}
    )
    assert answer.headers["x-netsuite-propertyvalidation"].endswith("taxItem, item.items[0].taxCode")


# --- legacy tax ---


@pytest.fixture
def legacy():
    made = Shop(suite_tax=False)
    made.stocked()
    return made


def test_legacy_line_code_rate_and_amount(legacy):
    order = legacy.order(
        custom(quantity=1, rate=10, taxCode={"id": "1"}), custom(quantity=1, rate=10, taxCode={"id": "2"}, taxRate1="7.5"),
        custom(quantity=1, rate=10, tax1Amt="0.33"), custom(quantity=1, rate=10), shippingCost=10, shippingTaxCode={"id": "2"},
    )  # fmt: skip
    assert [line["taxAmount"] for line in legacy.whole(f"salesOrder/{order}")["item"]["items"]] == [
        D("0.80"),
        D("0.75"),
        D("0.33"),
        0,
    ]
    assert totals(legacy, order, "taxTotal", "total") == [D("2.38"), D("52.38")]


def test_legacy_tax_item_of_the_header_covers_taxable_lines(legacy):
    order = legacy.order(custom(quantity=1, rate=10), custom(quantity=1, rate=10, isTaxable=False), taxItem={"id": "1"})
    assert totals(legacy, order, "taxTotal") == [D("0.80")]
    legacy.patch(f"salesOrder/{order}", {"isTaxable": False})
    assert totals(legacy, order, "taxTotal") == [0]


def test_discount_takes_its_share_off_the_tax(legacy):
    off = legacy.post("discountItem", {"itemId": "Off", "subsidiary": {"items": [{"id": "1"}]}, "rate": "-50%"})
    order = legacy.order(custom(quantity=1, rate=10), taxItem={"id": "1"}, discountItem={"id": off})
    assert totals(legacy, order) == [10, D("-5.00"), D("0.40"), D("5.40")]
