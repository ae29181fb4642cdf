"""What is peculiar to NetSuite, against its twin without sockets: records, orders, payments."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from erp_pipelines.connectors.base import ExternalRef, Ref
from erp_pipelines.domain import errors
from erp_pipelines.domain.orders import OrderLine, OrderStatus, Shipping
from erp_pipelines.domain.outcomes import Outcome
from erp_pipelines.domain.payments import PaymentStatus
from erp_pipelines.domain.records import Address
from tests.contract.connector_suite import CUSTOMER, ORDER, known, write
from tests.contract.netsuite_connection import Connection
from tests.support.factories import make_customer, make_order, make_product

HOME = Address(name="Blue Door", line1="1 Quay", city="Port", region="CA", postal_code="90001", country="USA")
DOCK = Address(name="Blue Door, dock", line1="2 Pier", city="Port", region="CA", postal_code="90002", country="USA")
TWO_LINES = [
    OrderLine(product="p1", quantity=Decimal(2), unit_price=Decimal("12.50")),
    OrderLine(product="p2", quantity=Decimal(3), unit_price=Decimal("1.10")),
]


@pytest.fixture
def shop() -> Connection:
    return Connection()


def labels(customer) -> list[tuple[str, bool, bool]]:
    return [(one["label"], one["defaultBilling"], one["defaultShipping"]) for one in customer["addressBook"]]


# --- customers ---


def test_new_customer_costs_one_write_and_one_read(shop):
    done = shop.customer(email="ap@c1.test", billing_address=HOME)
    assert (done.outcome, done.external_type, done.external_number) == (Outcome.CREATED, "customer", "Customer c1")
    assert (shop.desk.calls.reads, shop.desk.calls.writes) == (1, 1)
    customer = shop.only("customer")
    assert (customer["externalId"], customer["subsidiary"], customer["email"]) == (
        "shop-customer-c1",
        "1",
        "ap@c1.test",
    )


def test_subsidiary_is_sent_in_one_world_accounts_only():
    small = Connection({"one_world": False})
    assert small.customer().outcome is Outcome.CREATED
    assert "subsidiary" not in small.only("customer")
    assert small.push(small.order()).outcome is Outcome.CREATED


def test_several_subsidiaries_need_a_choice():
    undecided = Connection(own={"subsidiaryId": None})
    with pytest.raises(errors.RequirementMissing, match=r"1 \(Harbor Foods\), 2 \(Northern Branch\)") as missing:
        undecided.customer()
    assert missing.value.requirement == "setting:subsidiaryId"
    assert undecided.rows("customer") == []


def test_ten_updates_leave_one_entry_for_each_address(shop):
    done = shop.customer(billing_address=HOME, shipping_address=DOCK)
    for turn in range(10):
        record = make_customer(billing_address=HOME, shipping_address=DOCK, phone=f"555-010{turn}")
        done = shop.push(write(CUSTOMER, record, known=known(done)))
    customer = shop.only("customer")
    assert labels(customer) == [("Shop billing address", True, False), ("Shop shipping address", False, True)]
    assert customer["phone"] == "555-0109"


def test_ten_new_addresses_leave_the_last_one(shop):
    done = shop.customer(billing_address=HOME)
    for turn in range(10):
        place = HOME.model_copy(update={"line1": f"{turn} Quay"})
        done = shop.push(write(CUSTOMER, make_customer(billing_address=place), known=known(done)))
    (entry,) = shop.only("customer")["addressBook"]
    assert entry["addressBookAddress"]["addr1"] == "9 Quay"


def test_addresses_that_people_added_stay(shop):
    done = shop.customer(billing_address=HOME)
    by_hand = {"label": "Summer house", "addressBookAddress": {"addr1": "3 Lake", "city": "Hill", "attention": "Bell"}}
    with shop.twin.person() as person:
        person.edit("customer", done.external_id, {"addressBook": {"items": [by_hand]}})
    moved = HOME.model_copy(update={"line1": "9 Quay"})
    shop.push(write(CUSTOMER, make_customer(billing_address=moved), known=known(done)))
    book = {one["label"]: one["addressBookAddress"] for one in shop.only("customer")["addressBook"]}
    assert {label: place["addr1"] for label, place in book.items()} == {
        "Summer house": "3 Lake",
        "Shop billing address": "9 Quay",
    }
    assert book["Summer house"]["attention"] == "Bell"


def test_update_without_addresses_leaves_the_address_book(shop):
    done = shop.customer(billing_address=HOME)
    shop.push(write(CUSTOMER, make_customer(phone="555-0100"), known=known(done)))
    assert len(shop.only("customer")["addressBook"]) == 1


def test_repeated_upsert_does_not_double_addresses(shop):
    shop.customer(billing_address=HOME)
    shop.customer(billing_address=HOME)
    assert len(shop.only("customer")["addressBook"]) == 1


def test_two_customers_of_one_name_stay_two(shop):
    first = shop.customer(name="Acme")
    second = shop.push(write(Ref("Customer", "c2"), make_customer("c2", name="Acme")))
    assert second.external_id != first.external_id
    assert {row["entityId"] for row in shop.rows("customer")} == {"Acme", "Acme (c2)"}
    renamed = shop.push(write(Ref("Customer", "c2"), make_customer("c2", name="Acme", phone="1"), known=known(second)))
    assert renamed.external_id == second.external_id
    assert {row["entityId"] for row in shop.rows("customer")} == {"Acme", "Acme (c2)"}


def test_a_name_in_another_language_is_adopted_all_the_same():
    shop = Connection({"language": "de"})
    with shop.twin.person() as person:
        by_hand = person.create("customer", {"companyName": "Customer c1", "subsidiary": {"id": "1"}})
    done = shop.customer()
    assert (done.outcome, done.external_id) == (Outcome.ADOPTED, by_hand["id"])


def test_inactive_holder_of_a_name_is_explained(shop):
    with shop.twin.person() as person:
        held = person.create("customer", {"companyName": "Customer c1", "subsidiary": {"id": "1"}, "isInactive": True})
    with pytest.raises(errors.NameTaken, match="inactive: make it active again") as taken:
        shop.customer()
    assert taken.value.candidate == held["id"]


def test_customer_that_was_deactivated_by_hand_stays_so(shop):
    done = shop.customer()
    shop.pass_time(seconds=5)
    with shop.twin.person() as person:
        person.deactivate("customer", done.external_id)
    with pytest.raises(errors.Rejected, match="made inactive in NetSuite") as refused:
        shop.push(write(CUSTOMER, make_customer(phone="1"), known=known(done)))
    assert refused.value.cause == "inactive"
    assert shop.only("customer")["isInactive"]


def test_customer_that_the_shop_deactivated_comes_back(shop):
    done = shop.customer()
    off = shop.push(write(CUSTOMER, make_customer(active=False), known=known(done)))
    assert shop.only("customer")["isInactive"]
    shop.push(write(CUSTOMER, make_customer(), known=known(off)))
    assert not shop.only("customer")["isInactive"]


def test_numbers_that_netsuite_makes():
    shop = Connection({"auto_numbering": True}, {"customerNumbering": "auto"})
    done = shop.customer()
    assert done.external_number == "1001"
    with shop.twin.person() as person:
        by_hand = person.create("customer", {"companyName": "Known already", "subsidiary": {"id": "1"}})
    adopted = shop.push(write(Ref("Customer", "c2"), make_customer("c2", name="Known already")))
    assert (adopted.outcome, adopted.external_id) == (Outcome.ADOPTED, by_hand["id"])


def test_auto_numbering_does_not_take_the_place_of_our_name():
    shop = Connection({"auto_numbering": True})
    assert shop.customer().external_number == "Customer c1"


# --- items ---


@pytest.mark.parametrize(
    ("kind", "record_type"),
    [("inventory", "inventoryItem"), ("noninventory", "nonInventorySaleItem"), ("service", "serviceSaleItem")],
)
def test_kind_decides_the_record_type_once(kind, record_type):
    shop = Connection(own={"cogsAccountId": "9", "assetAccountId": "4"})
    done = shop.product(kind=kind, sku="SKU-1")
    assert (done.external_type, done.external_number) == (record_type, "SKU-1")
    other = "service" if kind != "service" else "noninventory"
    changed = make_product(kind=other, sku="SKU-1", description="New")
    again = shop.push(write(Ref("Product", "p1"), changed, known=known(done)))
    assert (again.external_id, again.external_type) == (done.external_id, record_type)
    assert shop.only(record_type)["salesDescription"] == "New"


def test_type_of_a_known_item_is_looked_up_where_it_was_forgotten(shop):
    done = shop.product(kind="service")
    forgotten = replace(known(done), sync_token=None)
    again = shop.push(write(Ref("Product", "p1"), make_product(description="New"), known=forgotten))
    assert again.external_type == "serviceSaleItem"


def test_item_that_stands_there_is_adopted_whatever_its_type(shop):
    with shop.twin.person() as person:
        body = {"itemId": "Product p1", "incomeAccount": {"id": "5"}, "taxSchedule": {"id": "1"}}
        by_hand = person.create("serviceSaleItem", {**body, "subsidiary": {"items": [{"id": "1"}]}})
    done = shop.product()
    assert (done.outcome, done.external_id, done.external_type) == (Outcome.ADOPTED, by_hand["id"], "serviceSaleItem")


def test_inventory_needs_its_accounts(shop):
    with pytest.raises(errors.RequirementMissing) as missing:
        shop.product(kind="inventory")
    assert missing.value.requirement == "setting:cogsAccountId"


# --- orders ---


def test_new_order_costs_one_write_and_one_read(shop):
    order = shop.order(lines=TWO_LINES, po_number="PO 7", memo="Ring twice", ship_to=DOCK)
    before = (shop.desk.calls.reads, shop.desk.calls.writes)
    done = shop.push(order)
    assert (shop.desk.calls.reads - before[0], shop.desk.calls.writes - before[1]) == (1, 1)
    row = shop.only("salesOrder")
    assert (done.external_number, done.total, done.balance) == (row["tranId"], Decimal("28.30"), Decimal("28.30"))
    assert (row["otherRefNum"], row["memo"], row["tranDate"]) == ("PO 7", "Order o1 · Ring twice", "2026-03-01")
    assert row["shippingAddress"]["addr1"] == "2 Pier"
    assert row["externalId"] == "shop-order-o1"


def test_order_edited_ten_times_has_its_lines_once(shop):
    order = shop.order(lines=TWO_LINES)
    done = shop.push(order)
    for turn in range(1, 11):
        lines = [*TWO_LINES, *TWO_LINES][: 1 + turn % 4]
        changed = make_order(lines=lines, memo=f"Turn {turn}").completed()
        done = shop.push(write(ORDER, changed, order.refs, known(done)))
        assert done.total == changed.amount_due
        assert len(shop.only("salesOrder")["item"]) == len(lines)
    assert len(shop.rows("salesOrder")) == 1


@pytest.mark.parametrize("suite_tax", [True, False])
@pytest.mark.parametrize("discount_item", [True, False])
@pytest.mark.parametrize("included", [None, True])
def test_totals_are_the_orders_to_the_cent(suite_tax, discount_item, included):
    shop = Connection({"suite_tax": suite_tax})
    if discount_item:
        shop.choose(discountItemId=shop.discount_item())
    lines = [
        OrderLine(product="p1", quantity=Decimal(3), unit_price=Decimal("9.99"), discount_rate=Decimal("0.15"), tax=Decimal("2.04")),
        OrderLine(product="p2", quantity=Decimal("0.5"), unit_price=Decimal("7.77"), tax=Decimal("0.19"), tax_rate=Decimal("0.05")),
        OrderLine(product="p1", quantity=Decimal(7), unit_price=Decimal("1.00"), discount=Decimal("0.01")),
    ]  # fmt: skip
    order = shop.order(
        lines=lines,
        order_discount=Decimal("1.00"),
        shipping=Shipping(amount=Decimal("4.50")),
        prices_include_tax=included,
    )
    done = shop.push(order)
    assert done.total == order.record.amount_due
    row = shop.only("salesOrder")
    assert row["taxTotal"] == Decimal("2.23")
    assert row["discountTotal"] == (Decimal("-1.00") if discount_item and not included else 0)
    assert shop.state(done).total == order.record.amount_due


def test_tax_on_shipping_needs_a_line_of_its_own_with_suite_tax():
    taxed = Shipping(amount=Decimal("4.50"), method="Courier", tax=Decimal("0.36"))
    shop = Connection()
    order = shop.order(shipping=taxed)
    with pytest.raises(errors.RequirementMissing) as missing:
        shop.push(order)
    assert missing.value.requirement == "setting:shippingItemId"
    assert shop.rows("salesOrder") == []
    shop.choose(shippingItemId=shop.product("freight", kind="service").external_id)
    done = shop.push(order)
    assert done.total == order.record.amount_due == Decimal("29.86")
    assert shop.only("salesOrder")["item"][-1]["description"] == "Courier"


def test_tax_on_shipping_in_the_header_without_suite_tax():
    shop = Connection({"suite_tax": False})
    order = shop.order(shipping=Shipping(amount=Decimal("4.50"), tax=Decimal("0.36")))
    assert shop.push(order).total == order.record.amount_due
    assert shop.only("salesOrder")["shippingTaxCode"] == "1"


def test_discount_that_is_gone_is_taken_back():
    shop = Connection()
    shop.choose(discountItemId=shop.discount_item())
    order = shop.order(order_discount=Decimal("5.00"), shipping=Shipping(amount=Decimal(3)))
    done = shop.push(order)
    assert done.total == Decimal("23.00")
    again = shop.push(write(ORDER, make_order().completed(), order.refs, known(done)))
    assert again.total == Decimal("25.00")


def test_price_levels_leave_our_rates_alone():
    shop = Connection(own={"basePriceLevelId": "1"})
    order = shop.order()
    shop.push(write(Ref("Product", "p1"), make_product(unit_price=Decimal("99.00"))))
    assert shop.push(order).total == Decimal("25.00")


def test_fields_of_the_settings_are_sent():
    shop = Connection(
        {"custom_fields": ("custbody_channel", "custcol_gift")},
        {
            "locationId": "1",
            "departmentId": "2",
            "classId": "1",
            "orderStatus": "A",
            "orderFields": {"custbody_channel": "web"},
            "lineFields": {"custcol_gift": "no"},
        },
    )
    shop.push(shop.order())
    row = shop.only("salesOrder")
    assert {name: row[name] for name in ("location", "department", "class", "orderStatus", "custbody_channel")} == {
        "location": "1",
        "department": "2",
        "class": "1",
        "orderStatus": "A",
        "custbody_channel": "web",
    }
    assert row["item"][0]["custcol_gift"] == "no"


def test_field_that_the_account_does_not_have_is_refused():
    shop = Connection(own={"orderFields": {"custbody_nowhere": "web"}})
    with pytest.raises(errors.Rejected) as refused:
        shop.push(shop.order())
    assert refused.value.mend
    assert shop.rows("salesOrder") == []


def test_mandatory_field_is_told_with_where_to_set_it():
    shop = Connection({"mandatory": {"salesOrder": ["entity", "location"]}})
    with pytest.raises(errors.Rejected, match="Location") as refused:
        shop.push(shop.order())
    assert (refused.value.cause, refused.value.erp_code) == ("missing-value", "USER_ERROR/missing-value")
    assert "connection's settings" in refused.value.mend


def test_order_that_was_closed_by_hand_is_not_changed(shop):
    order = shop.order()
    done = shop.push(order)
    with shop.twin.person() as person:
        person.close(done.external_id)
    with pytest.raises(errors.Rejected) as refused:
        shop.push(write(ORDER, make_order(memo="New").completed(), order.refs, known(done)))
    assert refused.value.cause == "voided-in-erp"


def test_order_that_was_deleted_is_never_made_again(shop):
    order = shop.order()
    done = shop.push(order)
    with shop.twin.person() as person:
        person.delete("salesOrder", done.external_id)
    with pytest.raises(errors.Rejected) as refused:
        shop.push(write(ORDER, make_order(memo="New").completed(), order.refs, known(done)))
    assert refused.value.cause == "not-found"
    assert shop.rows("salesOrder") == []


def test_order_closed_while_its_answer_was_lost_is_adopted_as_void(shop):
    order = shop.order()
    done = shop.push(order)
    with shop.twin.person() as person:
        person.close(done.external_id)
    again = shop.push(order, in_doubt=True)
    assert (again.outcome, again.external_id, again.void) == (Outcome.ADOPTED, done.external_id, True)


# --- cancelling ---


def cancelled(order):
    return write(ORDER, make_order(status=OrderStatus.CANCELLED).completed(), order.refs)


def test_cancelled_order_is_closed(shop):
    order = shop.order(lines=TWO_LINES)
    done = shop.push(order)
    closed = shop.push(replace(cancelled(order), known=known(done)))
    assert (closed.outcome, closed.external_id) == (Outcome.UPDATED, done.external_id)
    assert [line["isClosed"] for line in shop.only("salesOrder")["item"]] == [True, True]
    assert shop.state(done).gone
    writes = len(shop.writes())
    assert shop.push(replace(cancelled(order), known=known(closed))).outcome is Outcome.UNCHANGED
    assert len(shop.writes()) == writes


def test_billed_order_is_not_closed(shop):
    order = shop.order()
    done = shop.push(order)
    with shop.twin.person() as person:
        person.bill(done.external_id)
    with pytest.raises(errors.Rejected) as refused:
        shop.push(replace(cancelled(order), known=known(done)))
    assert (refused.value.cause, "credit memo" in refused.value.mend) == ("cancelled-after-sync", True)
    assert not shop.only("salesOrder")["item"][0]["isClosed"]


def test_cancelled_order_that_was_never_sent(shop):
    order = shop.order()
    with pytest.raises(errors.Rejected, match="has no document") as refused:
        shop.push(cancelled(order))
    assert refused.value.cause == "cancelled"
    with pytest.raises(errors.AnswerLost):
        shop.push(cancelled(order), in_doubt=True)


def test_cancelled_order_whose_answer_was_lost_is_found_and_closed(shop):
    order = shop.order()
    done = shop.push(order)
    closed = shop.push(cancelled(order), in_doubt=True)
    assert closed.external_id == done.external_id
    assert shop.only("salesOrder")["item"][0]["isClosed"]


# --- invoices and payments ---


def test_paid_order_is_billed_once():
    shop = Connection(own={"transformToInvoice": "whenPaid"})
    order = shop.order()
    shop.push(order)
    assert shop.rows("invoice") == []
    paid = write(ORDER, make_order(payment_status=PaymentStatus.PAID).completed(), order.refs)
    done = shop.push(paid)
    again = shop.push(replace(paid, known=known(done)))
    shop.push(paid, in_doubt=True)
    assert again.external_id == done.external_id
    invoice = shop.only("invoice")
    assert (invoice["externalId"], invoice["total"]) == ("shop-invoice-o1", Decimal("25.00"))


def test_being_paid_changes_the_body_where_it_is_to_be_billed():
    shop, plain = Connection(own={"transformToInvoice": "whenPaid"}), Connection()
    order = shop.order()
    paid = make_order(payment_status=PaymentStatus.PAID).completed()
    assert shop.session.body(paid, order.refs) != shop.session.body(order.record, order.refs)
    assert plain.session.body(paid, order.refs) == plain.session.body(order.record, order.refs)


def test_order_that_waits_for_approval_is_not_billed():
    shop = Connection(own={"transformToInvoice": "always", "orderStatus": "A"})
    order = shop.order()
    with pytest.raises(errors.Rejected, match="pending approval"):
        shop.push(order)
    with shop.twin.person() as person:
        person.approve(shop.only("salesOrder")["id"])
    assert shop.push(order, in_doubt=True).outcome is Outcome.ADOPTED
    assert len(shop.rows("invoice")) == 1


def test_payment_settles_the_orders_invoice():
    shop = Connection(own={"transformToInvoice": "always"})
    order = shop.order()
    done = shop.push(order)
    paid = shop.push(shop.payment(done.external_id, order))
    assert (paid.outcome, paid.external_type, paid.total) == (Outcome.CREATED, "customerPayment", Decimal("10.00"))
    assert shop.only("invoice")["amountRemaining"] == Decimal("15.00")
    again = shop.push(shop.payment(done.external_id, order), in_doubt=True)
    assert (again.outcome, again.external_id) == (Outcome.ADOPTED, paid.external_id)
    known_one = shop.push(shop.payment(done.external_id, order), known=known(paid))
    assert known_one.outcome is Outcome.UNCHANGED
    assert len(shop.rows("customerPayment")) == 1


def grown(order, quantity):
    return replace(
        order,
        record=make_order(
            lines=[OrderLine(product="p1", quantity=Decimal(quantity), unit_price=Decimal("12.50"))]
        ).completed(),
    )


def test_order_that_grew_after_it_was_billed_is_billed_for_the_rest():
    shop = Connection(own={"transformToInvoice": "always"})
    order = shop.order()
    done = shop.push(order)
    more = grown(order, 3)
    for _ in range(2):
        shop.push(replace(more, known=known(done)))
    assert [(row["externalId"], row["total"]) for row in shop.rows("invoice")] == [
        ("shop-invoice-o1", Decimal("25.00")),
        ("shop-invoice_2-o1", more.record.amount_due - 25),
    ]


def test_payment_goes_to_the_oldest_open_invoice_first():
    shop = Connection(own={"transformToInvoice": "always"})
    order = shop.order()
    done = shop.push(order)
    more = grown(order, 3)
    shop.push(replace(more, known=known(done)))
    shop.push(shop.payment(done.external_id, order, "30.00"))
    owed = [row["amountRemaining"] for row in shop.rows("invoice")]
    assert owed == [Decimal("0.00"), more.record.amount_due - 30]
    assert len(shop.rows("customerPayment")) == 1


def test_order_that_shrank_after_it_was_billed_is_an_open_error():
    shop = Connection(own={"transformToInvoice": "always"})
    order = grown(shop.order(), 3)
    done = shop.push(order)
    with pytest.raises(errors.Rejected) as refused:
        shop.push(replace(grown(order, 1), known=known(done)))
    assert len(shop.rows("invoice")) == 1
    assert refused.value.cause == "total-differs"


def test_payment_waits_for_an_invoice(shop):
    order = shop.order()
    done = shop.push(order)
    with pytest.raises(errors.RequirementMissing) as missing:
        shop.push(shop.payment(done.external_id, order))
    assert missing.value.requirement == "setting:transformToInvoice"
    with shop.twin.person() as person:
        person.bill(done.external_id)
    assert shop.push(shop.payment(done.external_id, order)).outcome is Outcome.CREATED


def test_payment_never_exceeds_its_document():
    shop = Connection(own={"transformToInvoice": "always"})
    order = shop.order()
    done = shop.push(order)
    with pytest.raises(errors.Rejected):
        shop.push(shop.payment(done.external_id, order, "25.01"))
    assert shop.rows("customerPayment") == []


def test_order_as_an_invoice_at_once():
    shop = Connection(own={"document": "invoice"})
    order = shop.order()
    done = shop.push(order)
    assert (done.external_type, done.total, done.balance) == ("invoice", Decimal("25.00"), Decimal("25.00"))
    shop.push(shop.payment(done.external_id, order))
    assert shop.rows("salesOrder") == []
    state = shop.state(done)
    assert (state.ref, state.balance) == (ExternalRef("invoice", done.external_id), Decimal("15.00"))
    with pytest.raises(errors.Rejected) as refused:
        shop.push(replace(cancelled(order), known=known(done)))
    assert refused.value.cause == "cancelled-after-sync"


# --- external ids of another integration ---


@pytest.mark.parametrize(
    ("own", "field", "value"),
    [
        ({"naturalKey": "tranId"}, "tranId", "o1"),
        ({"naturalKey": "otherRefNum"}, "otherRefNum", "o1"),
    ],
)
def test_other_natural_keys(own, field, value):
    shop = Connection(own=own)
    order = shop.order()
    done = shop.push(order)
    row = shop.only("salesOrder")
    assert (row[field], "externalId" in row) == (value, False)
    again = shop.push(order)
    assert (again.outcome, again.external_id) == (Outcome.ADOPTED, done.external_id)
    assert len(shop.rows("salesOrder")) == 1


def test_lost_create_without_external_ids_waits_before_it_is_sent_again():
    shop = Connection(own={"naturalKey": "tranId"})
    order = shop.order()
    shop.twin.add_fault("drop_before_commit", method="POST", entity="salesOrder", times=1)
    with pytest.raises(errors.AnswerLost):
        shop.push(order)
    since = shop.desk.clock.now()
    with pytest.raises(errors.AnswerLost, match="may still appear"):
        shop.push(order, in_doubt=True, doubt_since=since)
    assert shop.rows("salesOrder") == []
    shop.pass_time(seconds=1001)
    assert shop.push(order, in_doubt=True, doubt_since=since).outcome is Outcome.CREATED


def test_find_believes_an_absence_only_after_netsuite_has_given_up(shop):
    order = replace(shop.order(), in_doubt=True, doubt_since=shop.desk.clock.now())
    with pytest.raises(errors.AnswerLost):
        shop.session.find(order)
    shop.pass_time(seconds=1001)
    assert shop.session.find(order) is None
    shop.push(order)
    found = shop.session.find(order)
    assert found is not None
    assert found.outcome is Outcome.ADOPTED


# --- trouble ---


def test_read_that_fails_after_a_write_leaves_it_in_doubt(shop):
    order = shop.order()
    shop.twin.add_fault("status", status=503, html=True, method="GET", times=3)
    with pytest.raises(errors.AnswerLost, match="saved, but could not be read back"):
        shop.push(order)
    assert shop.push(order, in_doubt=True).outcome is Outcome.ADOPTED
    assert len(shop.rows("salesOrder")) == 1


def test_short_throttles_are_sat_out(shop):
    shop.twin.add_fault("status", status=429, times=3)
    shop.customer()
    assert shop.desk.clock.slept
    assert len(shop.rows("customer")) == 1
