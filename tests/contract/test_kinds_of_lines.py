"""Lines that are no goods, and where lines are booked: by the tenant's settings, in both ERPs, to the cent."""

from __future__ import annotations

from decimal import Decimal

import pytest

from erp_pipelines.connectors.base import Ref
from erp_pipelines.domain import errors
from erp_pipelines.domain.connections import ConnectionSettings
from erp_pipelines.domain.orders import OrderLine
from erp_pipelines.domain.records import parse
from tests.contract.connector_suite import CUSTOMER, ORDER, write
from tests.contract.netsuite_connection import Connection
from tests.contract.quickbooks_shop import Shop
from tests.support.factories import make_order


def line(product, price, quantity="1", **more):
    return parse(OrderLine, {"product": product, "unitPrice": price, "quantity": quantity, **more})


TEA = line("p1", "30.00", "2", tax="4.80", taxRate="0.08", **{"class": "Wholesale"})
FEE = line("handling", "3.50", kind="fee", tax="0")
SPENT = line("voucher", "20.00", "-1", kind="giftCard", tax="0")


def order(*lines):
    return make_order(lines=list(lines)).completed()


# --- QuickBooks ---


@pytest.fixture
def shop():
    made = Shop()
    service = {"Type": "Service", "IncomeAccountRef": {"value": made.company.account("Services")}}
    made.item = {name: made.books.post("item", {"Name": name, **service})["Id"] for name in ("Fees", "Vouchers")}
    made.class_of = {name: made.books.post("class", {"Name": name})["Id"] for name in ("Trade", "Fees")}
    return made


def chosen(shop):
    items = {"fee": shop.item["Fees"], "giftCard": shop.item["Vouchers"]}
    shop.choose(
        own={"lineItems": items, "classes": {"wholesale": shop.class_of["Trade"], "fee": shop.class_of["Fees"]}}
    )


def refs(erp, *products):
    found = {CUSTOMER: erp.customer().external_id}
    for product in products:
        found |= erp.order(lines=[line(product, "1.00")]).refs
    return found


def sold(shop):
    (invoice,) = shop.company.invoices
    details = [(one["SalesItemLineDetail"], one["Amount"]) for one in invoice["Line"] if "SalesItemLineDetail" in one]
    return [(d["ItemRef"]["value"], d.get("ClassRef", {}).get("name"), d["TaxCodeRef"]["value"], a) for d, a in details]


def test_quickbooks_books_fees_and_gift_cards_on_the_chosen_items(shop):
    chosen(shop)
    wanted = order(TEA, FEE, SPENT)
    assert shop.session.requirements(wanted) == (CUSTOMER, Ref("Product", "p1"))
    known = refs(shop, "p1")
    done = shop.push(write(ORDER, wanted, known))
    assert done.total == wanted.amount_due == Decimal("48.30")
    assert sold(shop) == [
        (known[Ref("Product", "p1")], "Trade", "TAX", Decimal("60.00")),
        (shop.item["Fees"], "Fees", "NON", Decimal("3.50")),
        (shop.item["Vouchers"], None, "NON", Decimal("-20.00")),
    ]


def test_without_the_settings_they_are_ordinary_products(shop):
    wanted = order(FEE)
    assert shop.session.requirements(wanted) == (CUSTOMER, Ref("Product", "handling"))
    known = refs(shop, "handling")
    shop.push(write(ORDER, wanted, known))
    assert sold(shop) == [(known[Ref("Product", "handling")], None, "NON", Decimal("3.50"))]


def test_a_class_that_nobody_has_mapped_is_asked_for(shop):
    with pytest.raises(
        errors.RequirementMissing, match="'Wholesale', for which no class of QuickBooks is chosen"
    ) as asked:
        shop.push(write(ORDER, order(TEA), refs(shop, "p1")))
    assert asked.value.requirement == "setting:classes"
    assert not shop.company.invoices


def test_a_refund_of_such_lines_is_booked_as_they_were(shop):
    chosen(shop)
    shop.choose(own={**shop.settings.provider_settings, "refundAccountId": "1"})
    back = {"line": 1, "product": "handling", "quantity": "1", "unit_price": "3.50", "kind": "fee", "tax": "0"}
    shop.push(shop.refund(lines=[back]))
    (receipt,) = shop.company.rows("RefundReceipt")
    detail = receipt["Line"][0]["SalesItemLineDetail"]
    assert (detail["ItemRef"]["value"], detail["ClassRef"]["name"]) == (shop.item["Fees"], "Fees")


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"lineItems": {"fee": "99"}}, "lineItems.fee: 99 is no active item"),
        ({"classes": {"Wholesale": "99"}}, "classes.wholesale: 99 is no active Class"),
    ],
)
def test_choices_are_checked_against_quickbooks_lists(shop, own, said):
    after = ConnectionSettings(provider_settings=own)
    with pytest.raises(errors.RecordInvalid, match=said.replace(".", r"\.")) as wrong:
        shop.connector.check_settings(shop.facts, after, shop.desk.tokens)
    assert wrong.value.field == f"providerSettings.{said.partition(':')[0]}"


def test_a_kind_that_is_none_is_refused():
    with pytest.raises(errors.RecordInvalid, match="kind"):
        line("p1", "1.00", kind="present")


# --- NetSuite ---


def test_netsuite_books_them_by_its_settings_too():
    erp = Connection(account={"mandatory": {}})
    fees = erp.product("fees").external_id
    erp.choose(lineItems={"fee": fees}, classes={"wholesale": "1", "fee": "2"})
    wanted = order(TEA, FEE)
    assert erp.session.requirements(wanted) == (CUSTOMER, Ref("Product", "p1"))
    tea = erp.product().external_id
    done = erp.push(write(ORDER, wanted, {CUSTOMER: erp.customer().external_id, Ref("Product", "p1"): tea}))
    assert done.total == wanted.amount_due
    lines = erp.only("salesOrder")["item"]
    assert [(one["item"], one.get("class")) for one in lines] == [(tea, "1"), (fees, "2")]


def test_netsuites_lists_are_asked_too():
    erp = Connection()
    after = ConnectionSettings(provider_settings={"lineItems": {"fee": "999"}})
    with pytest.raises(errors.RecordInvalid, match=r"lineItems\.fee"):
        erp.connector.check_settings(erp.facts, after, erp.desk.tokens)
