"""Customers, products and payments in QuickBooks' words."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from erp_pipelines.connectors import text as texts
from erp_pipelines.connectors.base import Ref
from erp_pipelines.connectors.mapping import requirements
from erp_pipelines.connectors.quickbooks import text
from erp_pipelines.connectors.quickbooks.config import QuickBooksConfig
from erp_pipelines.connectors.quickbooks.mapper import body
from erp_pipelines.connectors.quickbooks.mapper_names import changes
from erp_pipelines.domain.connections import ConnectionSettings
from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.errors import Rejected, RequirementMissing
from erp_pipelines.domain.orders import OrderLine
from erp_pipelines.domain.payments import Payment
from erp_pipelines.domain.products import Product
from erp_pipelines.domain.records import Address
from tests.support.factories import make_customer, make_order, make_product
from tests.unit.connectors.connector_support import CONFIG, books

ADDRESS = Address(
    name="Dock 3", line1="1 Quay", line2="Hall B", city="Port", region="CA", postal_code="90001", country="USA"
)
WIRE_ADDRESS = {
    "Line1": "Dock 3",
    "Line2": "1 Quay",
    "Line3": "Hall B",
    "City": "Port",
    "CountrySubDivisionCode": "CA",
    "PostalCode": "90001",
    "Country": "USA",
}


def customer(**changes: object) -> dict:
    return body(make_customer(**changes), {}, books())


# --- customers ---


def test_every_field_of_a_customer():
    record = Customer(
        id="c1",
        name="Blue Door Cafe",
        email="ap@blue-door.example.test",
        phone="+1 555 0100",
        billing_address=ADDRESS,
        shipping_address=Address(city="Port"),
        currency="EUR",
        terms="Net 30",
        tax_exempt=True,
        active=True,
        notes="rings twice",
    )
    assert body(record, {}, books(multi_currency=True)) == {
        "DisplayName": "Blue Door Cafe",
        "CompanyName": "Blue Door Cafe",
        "PrimaryEmailAddr": {"Address": "ap@blue-door.example.test"},
        "PrimaryPhone": {"FreeFormNumber": "+1 555 0100"},
        "BillAddr": WIRE_ADDRESS,
        "ShipAddr": {"City": "Port"},
        "Notes": "PrometheusId:c1\nTerms: Net 30\nrings twice",
        "Taxable": False,
        "Active": True,
        "CurrencyRef": {"value": "EUR"},
    }


def test_null_address_and_contacts_are_left_out():
    assert customer(name="A") == {
        "DisplayName": "A",
        "CompanyName": "A",
        "Notes": "PrometheusId:c1",
        "Taxable": True,
        "Active": True,
    }


@pytest.mark.parametrize("empty", [Address(), Address(city=" ", line1="")])
def test_empty_address_is_left_out(empty):
    assert "BillAddr" not in customer(billing_address=empty)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Acme: Paris", "Acme Paris"),
        ("Tab\there\nand\r\nthere\x00", "Tab here and there"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("O'Brien \\ Söhne 🍋", "O'Brien \\ Söhne 🍋"),
        ("x" * 99 + "yz", None),
    ],
)
def test_names_are_made_fit(name, shown):
    made = customer(name=name[:100])["DisplayName"]
    assert made == (shown if shown is not None else name[:100])


def test_suffix_survives_the_length():
    assert texts.name("x" * 100, 100, " (C)") == "x" * 96 + " (C)"


def test_name_without_a_usable_character_is_explained():
    with pytest.raises(Rejected, match="Give the customer a name"):
        customer(name=":::")


@pytest.mark.parametrize("email", ["nobody", "a@b", "a b@c.test", "x" * 100 + "@a.test", "a@b.test,c@d.test"])
def test_malformed_email_moves_into_the_notes(email):
    made = customer(email=email)
    assert "PrimaryEmailAddr" not in made
    assert made["Notes"] == f"PrometheusId:c1\nE-mail: {email}"


def test_overlong_phone_moves_into_the_notes():
    made = customer(phone="1" * 31)
    assert "PrimaryPhone" not in made
    assert f"Phone: {'1' * 31}" in made["Notes"]
    assert customer(phone="1" * 30)["PrimaryPhone"] == {"FreeFormNumber": "1" * 30}


def test_long_notes_are_cut_behind_the_mark():
    made = customer(notes="n" * 3000)
    assert len(made["Notes"]) == CONFIG.notes_length
    assert text.carries(made["Notes"], "c1")


def test_an_update_leaves_alone_what_is_the_bookkeepers():
    whole = body(make_customer(), {}, books(multi_currency=True))
    assert changes(whole).keys() == whole.keys() - {"Notes", "CurrencyRef"}
    assert changes(body(make_product(), {}, books())).keys() == {"Name", "UnitPrice", "Taxable", "Active"}


# --- products ---


@pytest.mark.parametrize(
    ("kind", "shown"), [("service", "Service"), ("inventory", "NonInventory"), ("noninventory", "NonInventory")]
)
def test_every_field_of_a_product(kind, shown):
    record = Product(
        id="p1",
        sku=" OIL-1 ",
        name="Olive: oil",
        description="Cold\npressed",
        unit_price=Decimal("12.50000"),
        kind=kind,
        taxable=False,
        active=False,
    )
    assert body(record, {}, books()) == {
        "Name": "Olive oil",
        "Sku": "OIL-1",
        "Description": "Cold\npressed",
        "UnitPrice": Decimal("12.5"),
        "Type": shown,
        "IncomeAccountRef": {"value": "5"},
        "Taxable": False,
        "Active": False,
    }


def test_taxable_is_a_matter_of_the_us():
    assert "Taxable" not in body(make_product(), {}, books(country="CA"))


def test_free_product_has_a_price_and_unpriced_has_none():
    assert body(make_product(unit_price=Decimal(0)), {}, books())["UnitPrice"] == 0
    assert "UnitPrice" not in body(make_product(unit_price=None), {}, books())


def test_missing_income_account_is_asked_for():
    with pytest.raises(RequirementMissing) as missing:
        body(make_product(), {}, books(income_account_id=""))
    assert missing.value.requirement == "setting:incomeAccountId"


# --- payments ---

PAYMENT = Payment(
    id="pay1",
    order_id="o1",
    amount="10.00",
    currency="USD",
    date=dt.date(2026, 3, 2),
    method="card",
    reference="ch_1234567890123456789012345",
)
PAID = {Ref("Order", "o1"): "101", Ref("Customer", "c1"): "58"}


def test_every_field_of_a_payment():
    settings = ConnectionSettings(deposit_account_id="4")
    assert body(PAYMENT, PAID, books(settings=settings)) == {
        "CustomerRef": {"value": "58"},
        "TotalAmt": Decimal("10.00"),
        "TxnDate": "2026-03-02",
        "PaymentRefNum": "ch_123456789012345678",
        "PrivateNote": "PrometheusId:pay1\nReference: ch_1234567890123456789012345\nMethod: card",
        "DepositToAccountRef": {"value": "4"},
        "Line": [{"Amount": Decimal("10.00"), "LinkedTxn": [{"TxnId": "101", "TxnType": "Invoice"}]}],
    }


def test_payment_waits_for_its_order():
    for refs in ({}, {Ref("Order", "o1"): "101"}):
        with pytest.raises(RequirementMissing) as missing:
            body(PAYMENT, refs, books())
        assert missing.value.requirement == "mapping:Order:o1"


@pytest.mark.parametrize("amount", ["0", "-5"])
def test_payment_of_nothing_is_refused(amount):
    with pytest.raises(Rejected) as refused:
        body(PAYMENT.model_copy(update={"amount": Decimal(amount)}), PAID, books())
    assert (refused.value.cause, refused.value.definitive) == ("refund", False)


def test_foreign_payment_names_its_currency():
    euro = PAYMENT.model_copy(update={"currency": "EUR"})
    assert body(euro, PAID, books(multi_currency=True))["CurrencyRef"] == {"value": "EUR"}
    with pytest.raises(Rejected, match="Multicurrency"):
        body(euro, PAID, books())


# --- what must stand first ---


def test_requirements():
    lines = [OrderLine(product=one, quantity=1, unit_price=1) for one in ("p2", "p1", "p2")]
    assert requirements(make_order(lines=lines), {}) == (
        Ref("Customer", "c1"),
        Ref("Product", "p2"),
        Ref("Product", "p1"),
    )
    assert requirements(PAYMENT, {}) == (Ref("Order", "o1"),)
    assert requirements(make_customer(), {}) == requirements(make_product(), {}) == ()


# --- texts ---


@pytest.mark.parametrize(
    ("note", "carried"),
    [
        ("PrometheusId:o1", True),
        ("PrometheusId:o1\nmemo", True),
        ("Voided - PrometheusId:o1", True),
        ("PrometheusId:o12", False),
        ("PrometheusId:o", False),
        ("XPrometheusId:o1", False),
        ("o1", False),
        ("", False),
    ],
)
def test_mark_is_exact(note, carried):
    assert text.carries(note, "o1") is carried


@pytest.mark.parametrize("record_id", ["a.b", "a b", "(x)", "é", "1\n2"])
def test_any_id_can_be_marked(record_id):
    assert text.carries(text.mark(record_id) + "\nmemo", record_id)


def test_document_numbers_keep_within_21_characters():
    assert text.document_number("10248") == "10248"
    assert text.document_number("x" * 21) == "x" * 21
    first, second = text.document_number("SHOP-2026-0000-000001"), text.document_number("SHOP-2026-0000-0000010")
    assert first == "SHOP-2026-0000-000001"
    assert second.startswith("SHOP-2026-00-")
    assert len(second) == 21
    assert second == text.document_number("SHOP-2026-0000-0000010") != text.document_number("SHOP-2026-0000-0000011")


def test_query_values_are_escaped():
    assert text.quoted("O'Brien \\ Co") == r"'O\'Brien \\ Co'"
    assert text.quoted("a\\b", escape_backslash=False) == r"'a\b'"


# --- configuration ---


def test_hosts_follow_the_environment():
    assert QuickBooksConfig("c", "s").api_url == "https://sandbox-quickbooks.api.intuit.com"
    assert QuickBooksConfig("c", "s", environment="production").api_url == "https://quickbooks.api.intuit.com"
    assert QuickBooksConfig("c", "s", api_url="http://127.0.0.1:1/").api_url == "http://127.0.0.1:1"


def test_secrets_are_not_shown():
    assert "hush" not in repr(QuickBooksConfig("c", "hush", verifier_token="hush"))
