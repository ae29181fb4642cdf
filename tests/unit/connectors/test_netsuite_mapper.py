"""Records in NetSuite's words, to the cent."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from erp_pipelines.connectors.base import ConnectionFacts, ExternalRef, Ref
from erp_pipelines.connectors.netsuite import external_ids
from erp_pipelines.connectors.netsuite.addresses import with_addresses
from erp_pipelines.connectors.netsuite.company import books as books_of
from erp_pipelines.connectors.netsuite.company import in_flight
from erp_pipelines.connectors.netsuite.mapper import body
from erp_pipelines.connectors.netsuite.mapper_lines import rate_of
from erp_pipelines.connectors.netsuite.mapper_order import changes
from erp_pipelines.connectors.netsuite.mapper_shared import country_code
from erp_pipelines.connectors.netsuite.settings import NetSuiteSettings
from erp_pipelines.connectors.netsuite.wire import AddressBook
from erp_pipelines.connectors.registry import connectors
from erp_pipelines.domain.connections import ConnectionKey, ConnectionSettings
from erp_pipelines.domain.errors import Rejected, RequirementMissing
from erp_pipelines.domain.money import round_money
from erp_pipelines.domain.orders import Order, OrderLine, Shipping, amount_of
from erp_pipelines.domain.payments import Payment
from erp_pipelines.domain.records import Address
from tests.support.factories import make_customer, make_order, make_product
from tests.unit.connectors.netsuite_support import ACCOUNT, CONFIG, books

D = Decimal
REFS = {Ref("Customer", "c1"): "77", Ref("Product", "p1"): "5", Ref("Product", "p2"): "6", Ref("Order", "o1"): "900"}
PLACE = Address(
    name="Dock 3", line1="1 Quay", line2="Hall B", city="Port", region="CA", postal_code="90001", country="USA"
)
WIRE_PLACE = {
    "addressee": "Dock 3",
    "addr1": "1 Quay",
    "addr2": "Hall B",
    "city": "Port",
    "state": "CA",
    "zip": "90001",
    "country": {"id": "US"},
}
ONE_WORLD = {"1": "Harbor Foods", "2": "Northern Branch"}


def sale(order: Order | None = None, own=None, **changed):
    return body((order or make_order()).completed(), REFS, books({"shipMethodId": "3", **(own or {})}, **changed))


# --- customers and items ---


def test_every_field_of_a_customer():
    record = make_customer(
        name="Blue: Door",
        email="ap@blue-door.example.test",
        phone="+1 555 0100",
        billing_address=PLACE,
        shipping_address=Address(city="Port"),
        currency="EUR",
        terms="net 30",
        tax_exempt=True,
        active=False,
        notes="rings twice",
    )
    own = {"subsidiaryId": "2", "customFormIds": {"customer": "12"}, "customerFields": {"custentity_x": "y"}}
    made = body(
        record,
        {},
        books(own, subsidiaries=ONE_WORLD, currencies={"USD": "1", "EUR": "2"}, terms={"net 30": "4"}, suite_tax=False),
    )
    assert made == {
        "entityId": "Blue Door",
        "autoName": False,
        "companyName": "Blue Door",
        "isPerson": False,
        "email": "ap@blue-door.example.test",
        "phone": "+1 555 0100",
        "subsidiary": {"id": "2"},
        "isInactive": True,
        "terms": {"id": "4"},
        "comments": "rings twice",
        "customForm": {"id": "12"},
        "addressBook": {
            "items": [
                {
                    "label": "Shop billing address",
                    "defaultBilling": True,
                    "defaultShipping": False,
                    "addressBookAddress": WIRE_PLACE,
                },
                {
                    "label": "Shop shipping address",
                    "defaultBilling": False,
                    "defaultShipping": True,
                    "addressBookAddress": {"city": "Port"},
                },
            ]
        },
        "taxable": False,
        "currency": {"id": "2"},
        "custentity_x": "y",
    }


def test_what_fits_no_field_stands_in_the_comments():
    made = body(make_customer(email="nobody", terms="Net 90"), {}, books())
    assert made["comments"] == "E-mail: nobody\nTerms: Net 90"
    assert not {"email", "terms", "subsidiary", "taxable", "currency", "addressBook"} & set(made)


def test_one_address_for_both_is_one_entry():
    for changes_ in ({"shipping_address": PLACE}, {}):
        (entry,) = body(make_customer(billing_address=PLACE, **changes_), {}, books())["addressBook"]["items"]
        assert (entry["defaultBilling"], entry["defaultShipping"]) == (True, True)
    (entry,) = body(make_customer(shipping_address=PLACE), {}, books())["addressBook"]["items"]
    assert (entry["label"], entry["defaultBilling"]) == ("Shop shipping address", True)


def test_only_subsidiary_needs_no_choice():
    assert body(make_customer(), {}, books(subsidiaries={"4": "All"}))["subsidiary"] == {"id": "4"}


def test_a_name_of_nothing_but_colons_is_refused():
    with pytest.raises(Rejected, match="NetSuite refuses") as refused:
        body(make_customer(name="::"), {}, books())
    assert not refused.value.definitive


def test_every_field_of_an_item():
    own = {
        "cogsAccountId": "9",
        "assetAccountId": "4",
        "taxScheduleId": "1",
        "basePriceLevelId": "1",
        "itemFields": {"custitem_x": 1},
    }
    record = make_product(sku="SKU-1", kind="inventory", description="Extra virgin", unit_price=D("12.50"))
    assert body(record, {}, books(own, subsidiaries={"1": "All"}, currencies={"USD": "1", "EUR": "2"})) == {
        "itemId": "SKU-1",
        "displayName": "Product p1",
        "salesDescription": "Extra virgin",
        "incomeAccount": {"id": "5"},
        "cogsAccount": {"id": "9"},
        "assetAccount": {"id": "4"},
        "taxSchedule": {"id": "1"},
        "subsidiary": {"items": [{"id": "1"}]},
        "isInactive": False,
        "price": {
            "items": [
                {
                    "priceLevel": {"id": "1"},
                    "currencyPage": {"id": "1"},
                    "quantity": {"value": "0"},
                    "price": D("12.5"),
                }
            ]
        },
        "custitem_x": 1,
    }


def test_items_need_an_income_account():
    with pytest.raises(RequirementMissing) as missing:
        body(make_product(), {}, books({"incomeAccountId": None}))
    assert missing.value.requirement == "setting:incomeAccountId"


# --- countries and addresses ---


@pytest.mark.parametrize(
    ("said", "code"),
    [("USA", "US"), ("us", "US"), ("Germany", "DE"), ("UK", "GB"), ("Venezuela", "VE"), ("Atlantis", None), (None, None)],
)  # fmt: skip
def test_countries_by_code(said, code):
    assert country_code(said) == code


def test_country_that_is_none_is_kept_as_text():
    made = sale(make_order(ship_to=Address(line1="1 Quay", country="Atlantis")))
    assert made["shippingAddress"] == {"addr1": "1 Quay", "addr3": "Atlantis"}


def stored(*entries):
    return AddressBook.model_validate({"items": list(entries)})


def test_address_book_that_says_it_already_is_not_sent():
    made = body(make_customer(billing_address=PLACE), {}, books())
    there = {
        "internalId": 4,
        "label": "Main",
        "defaultBilling": True,
        "defaultShipping": True,
        "addressBookAddress": {**WIRE_PLACE, "country": {"id": "US", "refName": "United States"}, "attention": "Bell"},
    }
    assert "addressBook" not in with_addresses(made, stored(there))
    elsewhere = {**there, "addressBookAddress": {**WIRE_PLACE, "addr1": "9 Quay"}}
    sent = with_addresses(made, stored(elsewhere))["addressBook"]["items"]
    assert [(one.get("internalId"), one["label"], one["defaultBilling"]) for one in sent] == [
        (4, "Main", False),
        (None, "Shop billing address", True),
    ]


# --- orders ---


def test_every_field_of_an_order():
    lines = [
        OrderLine(product="p1", quantity=D(2), unit_price=D("12.50"), discount_rate=D("0.1"), tax=D("1.80")),
        OrderLine(product="p2", description="Gift", quantity=D(1), unit_price=D("3.00")),
    ]
    order = make_order(
        lines=lines,
        due_date=dt.date(2026, 3, 31),
        shipping=Shipping(amount=D("4.50"), method="Courier"),
        order_discount=D("1.00"),
        po_number="PO 7",
        memo="Ring twice",
        ship_to=PLACE,
        currency="EUR",
        exchange_rate=D("1.1"),
    )
    own = {
        "discountItemId": "8",
        "orderStatus": "B",
        "locationId": "2",
        "taxTypeId": "6",
        "orderFields": {"custbody_x": "y"},
    }
    made = sale(order, own, currencies={"USD": "1", "EUR": "2"})
    assert made.pop("item") == {
        "items": [
            {
                "line": 1,
                "item": {"id": "5"},
                "quantity": D(2),
                "price": {"id": "-1"},
                "rate": D("11.25"),
                "amount": D("22.50"),
                "description": "(2 x 12.5 less 10 % = 22.50)",
                "location": {"id": "2"},
                "taxDetailsReference": "line-1",
            },
            {
                "line": 2,
                "item": {"id": "6"},
                "quantity": D(1),
                "price": {"id": "-1"},
                "rate": D(3),
                "amount": D("3.00"),
                "description": "Gift",
                "location": {"id": "2"},
                "taxDetailsReference": "line-2",
            },
        ]
    }
    assert made == {
        "entity": {"id": "77"},
        "tranDate": "2026-03-01",
        "dueDate": "2026-03-31",
        "orderStatus": {"id": "B"},
        "location": {"id": "2"},
        "otherRefNum": "PO 7",
        "memo": "Order o1 · Ring twice",
        "shippingAddress": WIRE_PLACE,
        "currency": {"id": "2"},
        "exchangeRate": D("1.1"),
        "shipMethod": {"id": "3"},
        "shippingCost": D("4.50"),
        "discountItem": {"id": "8"},
        "discountRate": D("-1.00"),
        "taxDetailsOverride": True,
        "taxDetails": {
            "items": [
                {
                    "taxDetailsReference": "line-1",
                    "taxCode": {"id": "9"},
                    "taxType": {"id": "6"},
                    "taxBasis": D("21.62"),
                    "taxRate": D("8.3256"),
                    "taxAmount": D("1.80"),
                }
            ]
        },
        "custbody_x": "y",
        "toBill": False,
    }


def test_order_without_tax_overrides_the_engines_own():
    made = sale()
    assert (made["taxDetailsOverride"], made["taxDetails"]) == (True, {"items": []})


def test_tax_code_is_the_one_of_the_rate():
    lines = [
        OrderLine(product="p1", quantity=D(1), unit_price=D(10), tax=D("0.80")),
        OrderLine(product="p2", quantity=D(1), unit_price=D(10), tax=D("0.70"), tax_rate=D("0.07")),
    ]
    details = sale(make_order(lines=lines), {"taxCodes": {"8": "1", "7": "2"}})["taxDetails"]["items"]
    assert [(one["taxCode"]["id"], one["taxRate"]) for one in details] == [("1", D(8)), ("2", D(7))]


def test_rate_without_a_code_is_named():
    order = make_order(lines=[OrderLine(product="p1", quantity=D(1), unit_price=D(10), tax=D("0.55"))])
    with pytest.raises(RequirementMissing, match=r"5\.5 %") as missing:
        sale(order, {"taxCodes": {"8": "1"}})
    assert missing.value.requirement == "setting:taxCodes"


def test_legacy_taxes_stand_on_lines():
    lines = [
        OrderLine(product="p1", quantity=D(1), unit_price=D(10), tax=D("0.80")),
        OrderLine(product="p2", quantity=D(1), unit_price=D(10)),
    ]
    order = make_order(lines=lines, shipping=Shipping(amount=D(5), tax=D("0.40")))
    made = sale(order, {"exemptTaxCodeId": "3"}, suite_tax=False)
    told = [{name: line[name] for name in ("taxCode", "tax1Amt")} for line in made["item"]["items"]]
    assert told == [{"taxCode": {"id": "1"}, "tax1Amt": D("0.80")}, {"taxCode": {"id": "3"}, "tax1Amt": D(0)}]
    assert made["shippingTaxCode"] == {"id": "1"}
    assert "taxDetailsOverride" not in made


def test_discount_without_an_item_for_it_is_in_the_lines():
    lines = [
        OrderLine(product="p1", quantity=D(3), unit_price=D(10)),
        OrderLine(product="p2", quantity=D(1), unit_price=D(10)),
    ]
    made = sale(make_order(lines=lines, order_discount=D(4)))
    assert [(line["rate"], line["amount"]) for line in made["item"]["items"]] == [(D(9), D(27)), (D(9), D(9))]
    assert made["item"]["items"][0]["description"] == "(3 x 10 less 3.00 of the order's discount)"
    assert "discountRate" not in made


def test_surcharge_has_the_other_sign():
    assert sale(make_order(order_discount=D(-2)), {"discountItemId": "8"})["discountRate"] == D(2)


def test_shipping_needs_a_place():
    with pytest.raises(RequirementMissing) as missing:
        sale(make_order(shipping=Shipping(amount=D(5))), {"shipMethodId": None})
    assert missing.value.requirement == "setting:shipMethodId"
    made = sale(make_order(shipping=Shipping(amount=D(5))), {"shippingItemId": "4"})
    assert (made["item"]["items"][1]["item"], "shippingCost" in made) == ({"id": "4"}, False)


def test_update_takes_back_money_and_leaves_the_bookkeepers_fields():
    bare = books({"discountItemId": "8", "shipMethodId": "3", "orderStatus": "A", "customFormIds": {"salesOrder": "1"}})
    made = body(make_order().completed(), REFS, bare)
    changed = changes(made, bare)
    assert (changed["discountItem"], changed["discountRate"], changed["shippingCost"]) == (None, None, 0)
    assert {"orderStatus", "customForm"} <= set(made) - set(changed)


def test_foreign_currency_that_the_account_lacks():
    for changed in ({"currencies": {"USD": "1", "EUR": "2"}}, {}):
        with pytest.raises(Rejected) as refused:
            sale(make_order(currency="JPY"), **changed)
        assert refused.value.cause == "currency"


@pytest.mark.parametrize(
    ("own", "field"),
    [
        ({"naturalKey": "tranId"}, {"tranId": "o1"}),
        ({"naturalKey": "otherRefNum"}, {"otherRefNum": "o1", "memo": "Order o1 · PO PO 7"}),
        ({"naturalKey": "customField", "naturalKeyField": "custbody_shop"}, {"custbody_shop": "shop-order-o1"}),
    ],
)
def test_natural_keys_stand_in_the_body(own, field):
    made = sale(make_order(po_number="PO 7"), own)
    assert {name: made[name] for name in field} == field


# Amounts as shops have them: up to four decimals of price and three of quantity.
PRICES = st.decimals("0", "9999.9999", places=4)
QUANTITIES = st.decimals("0.001", "999", places=3)
RATES = st.none() | st.decimals("0", "1", places=3)


@st.composite
def orders(draw) -> Order:
    lines = [
        OrderLine(
            product=draw(st.sampled_from(["p1", "p2"])),
            quantity=draw(QUANTITIES),
            unit_price=draw(PRICES),
            discount_rate=draw(RATES),
        )
        for _ in range(draw(st.integers(1, 6)))
    ]
    plain = make_order(lines=lines).completed()
    whole = sum((amount_of(line) for line in plain.lines), D(0))
    lines = [line.model_copy(update={"tax": round_money(amount_of(line) * D("0.0825"), "USD")}) for line in plain.lines]
    discount = draw(st.decimals(0, min(whole, D(1000)), places=2))
    shipping = Shipping(amount=draw(st.decimals(0, 100, places=2)))
    return make_order(
        lines=lines, order_discount=discount, shipping=shipping, prices_include_tax=draw(st.sampled_from([None, True]))
    ).completed()


@settings(max_examples=150, deadline=None)
@given(order=orders(), discount_item=st.booleans(), suite_tax=st.booleans(), shipping_line=st.booleans())
def test_parts_add_up_to_the_orders_total_to_the_cent(order, discount_item, suite_tax, shipping_line):
    own = {"discountItemId": "8" if discount_item else None, "shippingItemId": "4" if shipping_line else None}
    made = sale(order, own, suite_tax=suite_tax)
    lines = made["item"]["items"]
    assert [line["line"] for line in lines] == list(range(1, len(lines) + 1))
    assert all(round_money(line["quantity"] * line["rate"], "USD") == line["amount"] for line in lines)
    if suite_tax:
        taxes = sum((one["taxAmount"] for one in made["taxDetails"]["items"]), D(0))
    else:
        taxes = sum((line["tax1Amt"] for line in lines), D(0))
    total = sum((line["amount"] for line in lines), D(0)) + made.get("discountRate", 0) + made.get("shippingCost", 0)
    assert total + taxes == order.amount_due


def test_rate_is_the_shortest_that_gives_the_amount():
    line = make_order(lines=[OrderLine(product="p1", quantity=D(3), unit_price=D("9.99"), discount_rate=D("0.15"))])
    (done,) = line.completed().lines
    assert (amount_of(done), rate_of(done, amount_of(done), "USD", 8)) == (D("25.47"), D("8.49"))
    much = OrderLine(product="p1", quantity=D("999999999.99999"), unit_price=D("0.00001"), amount=D("1.23"))
    assert rate_of(much, D("1.23"), "USD", 8) is None


# --- payments ---


def payment(**changed):
    day = dt.date(2026, 3, 2)
    return Payment(**{"id": "pay1", "order_id": "o1", "amount": D(10), "currency": "USD", "date": day, **changed})


def test_every_field_of_a_payment():
    made = body(payment(method="Card", reference="pi_1"), REFS, books({"depositAccountId": "1"}))
    assert made == {
        "customer": {"id": "77"},
        "tranDate": "2026-03-02",
        "payment": D(10),
        "memo": "Card · pi_1",
        "account": {"id": "1"},
        "undepFunds": False,
    }
    assert body(payment(), REFS, books())["undepFunds"] is True


def test_refunds_are_a_persons_business():
    with pytest.raises(Rejected) as refused:
        body(payment(amount=D(-1)), REFS, books())
    assert refused.value.cause == "refund"


# --- external ids ---

IDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=1, max_size=30)


@given(record_id=IDS)
def test_external_ids_read_back(record_id):
    made = external_ids.external_id("shop", "payment", record_id, 255)
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_")
    assert len(made) <= 255
    if len(made) < 250:
        assert external_ids.record_of("shop", "payment", made) == record_id


@given(first=IDS, second=IDS)
def test_external_ids_are_never_the_same_whatever_the_case(first, second):
    same = external_ids.external_id("shop", "order", first, 40) == external_ids.external_id("shop", "order", second, 40)
    assert same == (first == second)


@pytest.mark.parametrize(
    ("record_id", "text"), [("10248", "shop-order-10248"), ("ALFKI", "shop-order-_a_l_f_k_i"), ("a_b/1", "shop-order-a_05fb_02f1")]
)  # fmt: skip
def test_external_ids_are_readable(record_id, text):
    assert external_ids.external_id("shop", "order", record_id, 255) == text


@pytest.mark.parametrize("text", ["", "CID-1", "shop-payment-x", "shop-order-_", "shop-order-a b", "shop-order-_0zz"])
def test_strange_external_ids_are_nobodys(text):
    assert external_ids.record_of("shop", "order", text) is None


# --- settings and limits ---


@pytest.mark.parametrize(
    "own",
    [
        {"naturalKey": "customField"},
        {"document": "invoice", "transformToInvoice": "always"},
        {"taxCodes": {"eight": "1"}},
        {"timeZone": "Mars/Base"},
        {"subsidiaryId": "1; DROP"},
        {"naturalKeyField": "a b"},
        {"concurrency": 0},
        {"colour": "red"},
    ],
)
def test_settings_that_cannot_be_right(own):
    with pytest.raises(ValidationError):
        NetSuiteSettings.model_validate(own)


def connection(own=None, **facts):
    settings_ = ConnectionSettings(provider_settings=own)
    return ConnectionFacts("1", ConnectionKey("acme", "netsuite"), ACCOUNT.id, facts, settings_)


@pytest.mark.parametrize(
    ("own", "facts", "places"),
    [
        ({}, {}, (4, 4)),
        ({}, {"concurrencyLimit": 5}, (4, 4)),
        ({}, {"concurrencyLimit": 15}, (4, 14)),
        ({}, {"concurrencyLimit": 3, "concurrencyIsOurs": True}, (3, 3)),
        ({}, {"concurrencyLimit": 1}, (1, 1)),
        ({"concurrency": 10}, {}, (4, 10)),
        ({"concurrency": 10}, {"concurrencyLimit": 5}, (4, 4)),
        ({"concurrency": 2}, {"concurrencyLimit": 25}, (2, 2)),
    ],
)
def test_calls_in_flight(own, facts, places):
    allowed = in_flight(connection(own, **facts), CONFIG)
    assert (allowed.start, allowed.most) == places


def test_facts_become_books():
    facts = {"subsidiaries": {"1": "A"}, "suiteTax": False, "zone": "Europe/Berlin", "zoneProven": True}
    found = books_of(connection(None, **facts), CONFIG)
    assert (found.one_world, found.suite_tax, found.zone.name, found.zone.proven) == (
        True,
        False,
        "Europe/Berlin",
        True,
    )
    chosen = books_of(connection({"timeZone": "Asia/Tokyo", "taxEngine": "suiteTax"}, **facts), CONFIG)
    assert (chosen.suite_tax, chosen.zone.name) == (True, "Asia/Tokyo")


@pytest.mark.parametrize(
    ("kind", "page"),
    [
        ("salesOrder", "https://1234567-sb1.app.netsuite.com/app/accounting/transactions/salesord.nl?id=9"),
        ("customerPayment", "https://1234567-sb1.app.netsuite.com/app/accounting/transactions/custpymt.nl?id=9"),
        ("customer", "https://1234567-sb1.app.netsuite.com/app/common/entity/custjob.nl?id=9"),
        ("somethingElse", None),
    ],
)
def test_documents_have_pages(kind, page):
    found = connectors(netsuite=CONFIG)["netsuite"]
    assert found.document_url(connection(), ExternalRef(kind, "9")) == page
