"""One payment over several orders on its way: after the documents of all of them, once, and seen from both sides."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from erp_pipelines.commerce import receipts
from erp_pipelines.commerce.receipts import Share
from erp_pipelines.delivery import pull
from tests.support.books import KEY, Shop


@pytest.fixture
def shop(database, clock):
    made = Shop(database, clock)
    made.customer()
    made.product()
    for number in (1, 2, 3):
        made.order(f"o{number}", paid=False)
    return made


def receive(shop, **parts):
    with shop.database.tenant("acme") as conn:
        shares = [Share(one, Decimal(part) if part else None) for one, part in parts.items()]
        receipts.receive(conn, "acme", shares, date=dt.date(2026, 3, 2), payment_id="m1")


def statuses(shop):
    return [status for (status,) in shop.rows("select payment_status from erp.orders order by id")]


def balances(shop):
    return {row["DocNumber"]: row["Balance"] for row in shop.company.invoices}


def deliveries(shop, entity_type="Payment"):
    query = "select status, outcome from erp.integration_deliveries where entity_type = :kind order by seq"
    return shop.rows(query, kind=entity_type)


def test_three_orders_and_one_payment(shop):
    shop.settings(documentsWhen="confirmed")
    receive(shop, o1="", o2="", o3="5.00")
    report = shop.serve()
    assert not report.failures
    (paid,) = shop.company.payments
    assert [line["Amount"] for line in paid["Line"]] == [Decimal("25.00"), Decimal("25.00"), Decimal("5.00")]
    assert balances(shop) == {"o1": 0, "o2": 0, "o3": Decimal("20.00")}
    assert statuses(shop) == ["paid", "paid", "partiallyPaid"]
    assert deliveries(shop) == [("Completed", "Created")]
    pull.pull(shop.runtime, KEY)
    assert statuses(shop) == ["paid", "paid", "partiallyPaid"]
    assert shop.twin.ledger().doubles("Payment") == []


def test_where_only_paid_orders_become_documents_the_payment_waits_for_the_last_of_them(shop):
    receive(shop, o1="", o2="5.00")
    shop.serve()
    assert balances(shop) == {"o1": Decimal("25.00")}
    assert deliveries(shop) == [("Completed", "NotWanted")]
    assert not shop.company.payments
    shop.pay("o2")
    shop.serve()
    assert balances(shop) == {"o1": 0, "o2": 0}
    assert sorted(row["TotalAmt"] for row in shop.company.payments) == [Decimal("20.00"), Decimal("30.00")]


def test_payment_that_a_person_voids_reopens_every_order(shop):
    shop.settings(documentsWhen="confirmed")
    receive(shop, o1="", o2="")
    shop.serve()
    shop.clock.advance(seconds=60)
    shop.twin.clock.set(shop.clock.moment)
    with shop.twin.person() as person:
        person.void("Payment", shop.company.payments[0]["Id"])
    pull.pull(shop.runtime, KEY)
    assert statuses(shop) == ["unpaid", "unpaid", "unpaid"]


def test_lost_answer_makes_no_second_payment(shop):
    shop.settings(documentsWhen="confirmed")
    receive(shop, o1="", o2="")
    shop.twin.add_fault("drop_after_commit", entity="Payment", operation="create", times=1)
    shop.twin.add_fault("drop_before_commit", entity="Payment", operation="create", times=5)
    shop.serve()
    shop.twin.clear_faults()
    shop.clock.advance(minutes=10)
    shop.twin.clock.set(shop.clock.moment)
    shop.serve()
    assert len(shop.company.payments) == 1
    assert balances(shop) == {"o1": 0, "o2": 0, "o3": Decimal("25.00")}
    assert deliveries(shop) == [("Completed", "Adopted")]


def test_in_netsuite_too(database, clock):
    shop = Shop(database, clock, "netsuite")
    shop.settings(documentsWhen="confirmed", providerSettings={**shop.there.settings.get("providerSettings", {}), "document": "invoice"})  # fmt: skip
    shop.customer()
    shop.product()
    for number in (1, 2):
        shop.order(f"o{number}", paid=False)
    receive(shop, o1="", o2="5.00")
    report = shop.serve()
    assert not report.failures
    (paid,) = shop.twin.account().rows("customerPayment")
    assert [Decimal(line["amount"]) for line in paid["apply"]] == [25, 5]
    assert statuses(shop) == ["paid", "partiallyPaid"]
