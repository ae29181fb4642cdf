"""Orders as invoices; above all that both come to the same amount."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from erp_pipelines.connectors.base import Ref
from erp_pipelines.connectors.quickbooks.company import TaxCode
from erp_pipelines.connectors.quickbooks.mapper import body
from erp_pipelines.connectors.quickbooks.settings import QuickBooksSettings
from erp_pipelines.domain.connections import ConnectionSettings
from erp_pipelines.domain.errors import RecordInvalid, Rejected, RequirementMissing
from erp_pipelines.domain.money import round_money
from erp_pipelines.domain.orders import Order, OrderLine, Shipping, amount_of
from erp_pipelines.domain.records import Address
from tests.support.factories import make_order
from tests.unit.connectors.connector_support import CONFIG, books

REFS = {Ref("Customer", "c1"): "58", Ref("Product", "p1"): "12", Ref("Product", "p2"): "13"}
SALES = "SalesItemLineDetail"


def sold(**changes: object) -> OrderLine:
    return OrderLine(**{"product": "p1", "quantity": 3, "unit_price": "12.50", **changes})


def invoice(*lines: OrderLine, company: dict | None = None, **changes: object) -> dict:
    order = make_order(lines=list(lines) or [sold()], number="10248", **changes).completed()
    return body(order, REFS, books(**(company or {})))


def total(document: dict) -> Decimal:
    """What QuickBooks adds up; checks each line as it does."""
    amount = Decimal(0)
    for line in document["Line"]:
        detail = line.get(SALES, {})
        if "Qty" in detail:
            assert round_money(detail["Qty"] * detail["UnitPrice"], "USD") == line["Amount"]
        amount += line["Amount"] if SALES in line else -line["Amount"]
    return amount + document.get("TxnTaxDetail", {}).get("TotalTax", 0)


def test_every_field_of_an_order():
    made = invoice(
        sold(description="Oil, cold pressed", tax="3.09"),
        sold(product="p2", quantity="0.5", unit_price="0.33333", tax="0"),
        due_date=dt.date(2026, 3, 31),
        shipping=Shipping(amount="5.00", method="Van", tax="0.41"),
        po_number="PO-77",
        memo="Leave at\nthe gate",
        ship_to=Address(name="Gate", city="Port"),
    )
    assert made == {
        "CustomerRef": {"value": "58"},
        "DocNumber": "10248",
        "TxnDate": "2026-03-01",
        "DueDate": "2026-03-31",
        "Line": [
            {
                "DetailType": SALES,
                "Amount": Decimal("37.50"),
                "Description": "Oil, cold pressed",
                SALES: {
                    "ItemRef": {"value": "12"},
                    "Qty": 3,
                    "UnitPrice": Decimal("12.5"),
                    "TaxCodeRef": {"value": "TAX"},
                },
            },
            {
                "DetailType": SALES,
                "Amount": Decimal("0.17"),
                SALES: {
                    "ItemRef": {"value": "13"},
                    "Qty": Decimal("0.5"),
                    "UnitPrice": Decimal("0.33333"),
                    "TaxCodeRef": {"value": "NON"},
                },
            },
            {
                "DetailType": SALES,
                "Amount": Decimal("5.00"),
                "Description": "Van",
                SALES: {"ItemRef": {"value": "SHIPPING_ITEM_ID"}, "TaxCodeRef": {"value": "TAX"}},
            },
        ],
        "TxnTaxDetail": {"TotalTax": Decimal("3.50")},
        "ShipAddr": {"Line1": "Gate", "City": "Port"},
        "PrivateNote": "PrometheusId:o1\nLeave at\nthe gate",
        "CustomerMemo": {"value": "PO PO-77"},
    }


def test_same_order_makes_the_same_body():
    assert invoice(sold(unit_price="12.50")) == invoice(sold(unit_price="12.5000"))


# --- discounts ---


def test_discounts_go_into_one_line():
    made = invoice(sold(discount_rate="0.15", description="Oil"), sold(discount="2.50"), order_discount="1.00")
    assert [line["Amount"] for line in made["Line"]] == [Decimal("37.50"), Decimal("37.50"), Decimal("9.12")]
    assert made["Line"][2] == {
        "DetailType": "DiscountLineDetail",
        "Amount": Decimal("9.12"),
        "DiscountLineDetail": {"PercentBased": False},
    }
    assert made["Line"][0]["Description"] == "Oil (less 15 % = 31.88)"
    assert made["Line"][1]["Description"] == "(less 2.50 = 35.00)"


def test_discounts_have_an_account_where_one_is_chosen():
    made = invoice(sold(discount="1"), company={"settings": ConnectionSettings(discount_account_id="86")})
    assert made["Line"][1]["DiscountLineDetail"]["DiscountAccountRef"] == {"value": "86"}


def test_without_discounts_switched_on_lines_are_net():
    made = invoice(sold(discount_rate="0.15", description="Oil"), company={"allow_discount": False})
    (line,) = made["Line"]
    assert (line["Amount"], line[SALES]["Qty"], line[SALES]["UnitPrice"]) == (Decimal("31.88"), 3, Decimal("10.62667"))
    assert line["Description"] == "Oil (3 x 12.5 less 15 % = 31.88)"


def test_net_line_whose_price_does_not_give_its_amount_is_one_piece():
    made = invoice(sold(quantity=3000, unit_price="1", discount="0.01"), company={"allow_discount": False})
    (line,) = made["Line"]
    assert (line["Amount"], line[SALES]["Qty"], line[SALES]["UnitPrice"]) == (
        Decimal("2999.99"),
        1,
        Decimal("2999.99"),
    )
    assert line["Description"] == "(3000 x 1 less 0.01 = 2999.99)"


def test_order_discount_without_discounts_switched_on_goes_into_the_lines_by_their_amounts():
    made = invoice(
        sold(quantity=1, unit_price="10"),
        sold(quantity=1, unit_price="20"),
        order_discount="1",
        company={"allow_discount": False},
    )
    assert [line["Amount"] for line in made["Line"]] == [Decimal("9.67"), Decimal("19.33")]
    assert made["Line"][0]["Description"] == "(1 x 10 less 0.33 of the order's discount)"


def test_discounts_on_lines_of_different_codes_go_into_the_lines():
    """A discount line would lower the base of both codes; only the taxed goods were discounted."""
    made = invoice(sold(discount="10", tax="2.20"), sold())
    assert [(line["Amount"], line[SALES]["TaxCodeRef"]["value"]) for line in made["Line"]] == [
        (Decimal("27.50"), "TAX"),
        (Decimal("37.50"), "NON"),
    ]


def test_discount_comes_off_before_the_tax():
    made = invoice(sold(tax="2.20"), order_discount="10")
    assert made["ApplyTaxAfterDiscount"] is True
    assert "ApplyTaxAfterDiscount" not in invoice(sold(tax="3.00"))


def test_surcharge_on_a_line_makes_it_net():
    made = invoice(sold(discount="-1"))
    assert made["Line"][0]["Amount"] == Decimal("38.50")
    assert made["Line"][0]["Description"] == "(3 x 12.5 plus 1.00 = 38.50)"


def test_returned_goods_are_negative_lines():
    made = invoice(sold(), sold(product="p2", quantity=-1, discount_rate="0.1"))
    assert [line["Amount"] for line in made["Line"]] == [Decimal("37.50"), Decimal("-11.25")]


def test_discount_above_the_lines_makes_them_net():
    made = invoice(sold(discount="37.50"), sold(quantity=-1), shipping=Shipping(amount="20"))
    assert [line["Amount"] for line in made["Line"]] == [Decimal("0.00"), Decimal("-12.50"), Decimal(20)]


@pytest.mark.parametrize("discount", ["-1", "40"])
def test_discount_that_cannot_be_said_is_explained(discount):
    with pytest.raises(Rejected) as refused:
        invoice(order_discount=discount, shipping=Shipping(amount="20"))
    assert refused.value.cause == "discount"


# --- shipping ---


def test_own_shipping_item_needs_no_preference():
    settings = ConnectionSettings(shipping_item_id="77")
    made = invoice(shipping=Shipping(amount="5"), company={"allow_shipping": False, "settings": settings})
    assert made["Line"][1][SALES] == {
        "ItemRef": {"value": "77"},
        "Qty": 1,
        "UnitPrice": 5,
        "TaxCodeRef": {"value": "NON"},
    }


def test_shipping_switched_off_is_asked_for():
    with pytest.raises(RequirementMissing) as missing:
        invoice(shipping=Shipping(amount="5"), company={"allow_shipping": False})
    assert missing.value.requirement == "setting:shippingItemId"


# --- tax ---


def codes(made: dict) -> list[str]:
    return [line[SALES]["TaxCodeRef"]["value"] for line in made["Line"]]


def test_zero_tax_is_said_so_that_none_is_added():
    made = invoice()
    assert codes(made) == ["NON"]
    assert made["TxnTaxDetail"] == {"TotalTax": 0}


def test_tax_of_the_whole_order_is_on_every_line_but_shipping():
    made = invoice(sold(), sold(), shipping=Shipping(amount="5"), tax_total="6")
    assert codes(made) == ["TAX", "TAX", "NON"]
    assert made["TxnTaxDetail"] == {"TotalTax": 6}


def test_line_without_a_tax_among_taxed_ones_is_exempt():
    assert codes(invoice(sold(tax="1"), sold())) == ["TAX", "NON"]


def test_company_without_sales_tax():
    made = invoice(company={"using_sales_tax": False})
    assert "TxnTaxDetail" not in made
    assert "TaxCodeRef" not in made["Line"][0][SALES]
    with pytest.raises(RequirementMissing) as missing:
        invoice(tax_total="6", company={"using_sales_tax": False})
    assert missing.value.requirement == "setting:salesTax"


ABROAD = {
    "country": "CA",
    "home_currency": "USD",
    "settings": ConnectionSettings(tax_code_id="7", exempt_tax_code_id="8"),
}


def test_abroad_lines_have_the_companys_own_codes():
    made = invoice(sold(tax="4.88"), sold(), company=ABROAD)
    assert codes(made) == ["7", "8"]
    assert made["GlobalTaxCalculation"] == "TaxExcluded"
    assert made["TxnTaxDetail"] == {"TotalTax": Decimal("4.88")}


def test_abroad_our_amount_overrides_a_single_rate():
    made = invoice(sold(tax="4.88"), sold(), company={**ABROAD, "tax_codes": {"7": code("70", 13)}})
    assert made["TxnTaxDetail"]["TaxLine"] == [
        {
            "Amount": Decimal("4.88"),
            "DetailType": "TaxLineDetail",
            "TaxLineDetail": {
                "TaxRateRef": {"value": "70"},
                "PercentBased": True,
                "NetAmountTaxable": Decimal("37.50"),
            },
        }
    ]


def code(*rates_and_percents: object) -> TaxCode:
    pairs = zip(rates_and_percents[::2], rates_and_percents[1::2], strict=True)
    return TaxCode(True, {str(rate): Decimal(str(percent)) for rate, percent in pairs})


RATES = {
    **ABROAD,
    "settings": ConnectionSettings(exempt_tax_code_id="9"),
    "own": QuickBooksSettings(tax_codes={"0.2": "1", "0.05": "2", "0.14975": "4"}),
    "tax_codes": {"1": code("10", 20), "2": code("20", 5), "4": code("40", 5, "41", "9.975"), "9": code("90", 0)},
}


def taxes(made: dict) -> dict[str, tuple[Decimal, Decimal]]:
    """Amount and net of each rate."""
    rows = [(row["TaxLineDetail"], row["Amount"]) for row in made["TxnTaxDetail"]["TaxLine"]]
    return {detail["TaxRateRef"]["value"]: (amount, detail["NetAmountTaxable"]) for detail, amount in rows}


def test_each_rate_has_its_code_and_its_amount():
    made = invoice(
        sold(quantity=1, unit_price="10.10", tax="2.02"),
        sold(quantity=1, unit_price="10.10", tax="2.02"),
        sold(quantity=1, unit_price="4.00", tax="0.20"),
        sold(quantity=1, unit_price="7.00"),
        shipping=Shipping(amount="5", tax="1.00"),
        company=RATES,
    )
    assert codes(made) == ["1", "1", "2", "9", "1"]
    assert taxes(made) == {"10": (Decimal("5.04"), Decimal("25.20")), "20": (Decimal("0.20"), Decimal("4.00"))}
    assert made["TxnTaxDetail"]["TotalTax"] == Decimal("5.24")


def test_code_of_several_rates_divides_its_tax_among_them():
    made = invoice(sold(quantity=1, unit_price="100", tax="14.98"), company=RATES)
    assert codes(made) == ["4"]
    assert taxes(made) == {"40": (Decimal("5.00"), Decimal(100)), "41": (Decimal("9.98"), Decimal(100))}


def test_named_rate_decides_where_the_tax_alone_does_not():
    assert codes(invoice(sold(quantity=1, unit_price="0.10", tax="0.01"), company=RATES)) == ["4"]
    named = sold(quantity=1, unit_price="0.10", tax="0.01", tax_rate="0.05")
    assert codes(invoice(named, company=RATES)) == ["2"]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param({"tax": "3.30"}, id="a tax of no mapped rate"),
        pytest.param({"tax": "3.75", "tax_rate": "0.1"}, id="a rate that is not mapped"),
    ],
)
def test_rate_without_a_code_is_asked_for(line):
    with pytest.raises(RequirementMissing) as missing:
        invoice(sold(**line), company=RATES)
    assert missing.value.requirement == "setting:taxCodes"


def test_prices_that_include_tax_become_net_lines_that_say_their_gross():
    made = invoice(
        sold(quantity=3, unit_price="12.00", tax="6.00", description="Oil"),
        shipping=Shipping(amount="6.00", tax="1.00"),
        prices_include_tax=True,
        company=RATES,
    )
    assert made["GlobalTaxCalculation"] == "TaxInclusive"
    assert [line["Amount"] for line in made["Line"]] == [Decimal("30.00"), Decimal("5.00")]
    assert made["Line"][0][SALES] == {
        "ItemRef": {"value": "12"},
        "Qty": 3,
        "UnitPrice": 10,
        "TaxCodeRef": {"value": "1"},
        "TaxInclusiveAmt": Decimal("36.00"),
    }
    assert made["Line"][0]["Description"] == "Oil (3 x 12 less 6.00 of tax)"
    assert total(made) == Decimal("42.00")


def test_prices_that_include_tax_are_sent_net_in_the_us():
    made = invoice(sold(quantity=3, unit_price="12.00", tax="2.67"), prices_include_tax=True)
    assert made["Line"][0]["Amount"] == Decimal("33.33")
    assert "TaxInclusiveAmt" not in made["Line"][0][SALES]
    assert total(made) == Decimal("36.00")


@pytest.mark.parametrize(("tax", "setting"), [("1", "taxCodeId"), ("0", "exemptTaxCodeId")])
def test_abroad_missing_codes_are_asked_for(tax, setting):
    with pytest.raises(RequirementMissing) as missing:
        invoice(sold(tax=tax), company={**ABROAD, "settings": ConnectionSettings()})
    assert missing.value.requirement == f"setting:{setting}"


# --- head ---


def test_foreign_order_names_currency_and_rate():
    made = invoice(currency="EUR", exchange_rate="1.08", company={"multi_currency": True})
    assert (made["CurrencyRef"], made["ExchangeRate"]) == ({"value": "EUR"}, Decimal("1.08"))
    home = invoice(exchange_rate="1", company={"multi_currency": True})
    assert home["CurrencyRef"] == {"value": "USD"}
    assert "ExchangeRate" not in home


def test_foreign_order_without_multicurrency_is_explained():
    with pytest.raises(Rejected, match="Multicurrency") as refused:
        invoice(currency="EUR")
    assert refused.value.cause == "currency"


def test_company_that_numbers_itself_gets_the_number_in_the_note():
    made = invoice(company={"custom_txn_numbers": False}, memo="memo")
    assert "DocNumber" not in made
    assert made["PrivateNote"] == "PrometheusId:o1\nOrder 10248\nmemo"


def test_shortened_number_stands_whole_in_the_note():
    order = make_order(number="SHOP-2026-0000-0000010").completed()
    made = body(order, REFS, books())
    assert len(made["DocNumber"]) == 21
    assert "Order SHOP-2026-0000-0000010" in made["PrivateNote"]


def test_purchase_order_goes_into_its_custom_field():
    config = type(CONFIG)("c", "s", po_custom_field="2")
    made = invoice(po_number="7" * 40, company={"config": config})
    assert made["CustomField"] == [{"DefinitionId": "2", "Type": "StringType", "StringValue": "7" * 31}]
    assert "CustomerMemo" not in made


def test_unmapped_parts_are_waited_for():
    with pytest.raises(RequirementMissing) as missing:
        body(make_order().completed(), {Ref("Customer", "c1"): "58"}, books())
    assert missing.value.requirement == "mapping:Product:p1"


# --- whatever the order ---

cents = st.decimals("0", "500", places=2)
signed = st.decimals("-3", "9", places=3)
prices = st.decimals("0", "99", places=5)
rates = st.none() | st.decimals("0", "1", places=4)
order_lines = st.builds(
    lambda quantity, price, rate, tax: sold(quantity=quantity, unit_price=price, discount_rate=rate, tax=tax),
    signed,
    prices,
    rates,
    st.none() | cents,
)


@given(
    st.lists(order_lines, min_size=1, max_size=6),
    cents,
    st.none() | cents,
    st.decimals("0", "20", places=2),
    st.booleans(),
    st.sampled_from([{}, ABROAD]),
)
def test_document_comes_to_the_orders_total(lines, shipping, tax, discount, allowed, company):
    order = _order(lines, shipping, tax, discount)
    if order.order_discount > max(sum(map(amount_of, order.lines)), 0):
        with pytest.raises(Rejected):
            body(order, REFS, books(allow_discount=allowed, **company))
        return
    made = body(order, REFS, books(allow_discount=allowed, **company))
    assert total(made) == order.amount_due
    discounts = [line["Amount"] for line in made["Line"] if SALES not in line]
    assert len(discounts) <= 1
    assert all(amount > 0 for amount in discounts)


def _order(lines: list[OrderLine], shipping: Decimal, tax: Decimal | None, discount: Decimal) -> Order:
    order = make_order(lines=lines, shipping=Shipping(amount=shipping, tax=tax), order_discount=discount)
    try:
        return order.completed()
    except RecordInvalid:
        assume(False)
        raise
