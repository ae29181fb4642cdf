"""What an ordinary paid order costs of the calls that Intuit meters, with all its notices and the pull after it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from erp_pipelines.delivery import pull
from tests.support.books import KEY, Shop
from tests.support.doorbell import ring

ORDERS = 10
REALM = "9130350000000001"


@pytest.fixture
def shop(database, clock):
    made = Shop(database, clock)
    made.twin.throttle.core_plus.clear()
    return made


def pass_time(shop, seconds):
    shop.clock.advance(seconds)
    shop.twin.clock.set(shop.clock.moment)


def hear(shop):
    """Every notice comes in and is worked on; how many there were."""
    told = shop.there.tidings()
    for headers, body in told:
        ring(shop.runtime, "quickbooks", headers, body)
    shop.serve()
    return len(told)


def metered(shop):
    return shop.twin.throttle.core_plus[REALM]


def counted(shop):
    return shop.rows("select coalesce(sum(reads), 0), coalesce(sum(writes), 0) from erp.integration_usage")[0]


def balance(shop, order_id="o1"):
    query = "select balance from erp.integration_entity_mappings where entity_type = 'Order' and prometheus_id = :id"
    return shop.rows(query, id=order_id)[0][0]


def drift(shop):
    return shop.rows("select field, ours, theirs from erp.integration_drifts")


def sell(shop, number):
    """A paid order by itself, minutes after the last one; every second one is of a new customer."""
    pass_time(shop, 300)
    customer = f"c{number - number % 2}"
    shop.customer(customer)
    shop.order(f"o{number}", customer_id=customer)
    shop.serve()
    pass_time(shop, 5)
    assert hear(shop) > 0


def test_single_paid_orders_cost_two_writes_and_no_read(shop):
    shop.product()
    for number in range(ORDERS):
        sell(shop, number)
    assert metered(shop) == 0
    assert counted(shop) == (0, 2 * ORDERS + ORDERS // 2 + 1)
    counts = shop.twin.ledger().counts
    assert [counts[name] for name in ("Customer", "Item", "Invoice", "Payment")] == [ORDERS // 2, 1, ORDERS, ORDERS]
    assert shop.rows("select distinct status from erp.integration_inbox") == [("Skipped",)]
    assert {balance(shop, f"o{number}") for number in range(ORDERS)} == {0}
    pull.pull(shop.runtime, KEY)
    assert metered(shop) == 1, "the pull itself, which comes every quarter of an hour"


def test_an_order_in_a_foreign_currency_costs_no_read_either(database, clock):
    shop = Shop(database, clock, multicurrency=True)
    before = metered(shop)
    shop.customer(currency="EUR")
    shop.product()
    shop.order(currency="EUR", exchange_rate=Decimal("1.08"))
    shop.serve()
    pass_time(shop, 5)
    hear(shop)
    assert metered(shop) == before
    assert shop.company.payments[0]["ExchangeRate"] == Decimal("1.08")
    assert (balance(shop), drift(shop)) == (0, [])


def test_a_pull_knows_what_our_payments_have_done_though_no_notice_came(shop):
    shop.sale()
    shop.serve()
    pass_time(shop, 5)
    pull.pull(shop.runtime, KEY)
    assert metered(shop) == 1
    assert shop.rows("select count(*) from erp.integration_inbox") == [(0,)]


def test_an_edit_before_our_payment_that_no_notice_told_of_is_found_by_the_pull(shop):
    shop.settings(documentsWhen="confirmed")
    shop.sale(paid=False)
    shop.serve()
    pass_time(shop, 60)
    (invoice,) = shop.company.invoices
    with shop.twin.person() as person:
        person.edit("Invoice", invoice["Id"], {"Line": [line(shop, "40.00")]})
    shop.there.tidings()
    shop.pay()
    shop.serve()
    assert balance(shop) == 0, "as far as we know"
    pass_time(shop, 5)
    pull.pull(shop.runtime, KEY)
    assert drift(shop) == [("total", "25.00", "40.00")]
    assert balance(shop) == Decimal("15.00")


def test_an_edit_in_the_second_of_our_payment_is_found_by_the_pull_at_the_latest(shop):
    shop.sale()
    shop.serve()
    (invoice,) = shop.company.invoices
    with shop.twin.person() as person:
        person.edit("Invoice", invoice["Id"], {"Line": [line(shop, "40.00")]})
    hear(shop)
    pass_time(shop, 5)
    pull.pull(shop.runtime, KEY)
    assert drift(shop) == [("total", "25.00", "40.00")]


def test_what_people_do_after_our_payment_is_heard_by_its_notice(shop):
    shop.sale()
    shop.serve()
    pass_time(shop, 60)
    with shop.twin.person() as person:
        person.void("Invoice", shop.company.invoices[0]["Id"])
    hear(shop)
    assert drift(shop) == [("gone", False, True)]
    assert shop.rows("select cause from erp.integration_alerts") == [("document-gone",)]


def test_where_payments_leave_versions_alone_a_pull_reads_instead_of_guessing(shop):
    connector = shop.runtime.connector("quickbooks")
    connector._config = replace(connector._config, payments_raise_versions=False)
    shop.sale()
    shop.serve()
    pass_time(shop, 5)
    pull.pull(shop.runtime, KEY)
    assert metered(shop) == 3
    assert (balance(shop), drift(shop)) == (0, [])


def line(shop, amount):
    item = {"value": shop.company.items[0]["Id"]}
    detail = {"ItemRef": item, "TaxCodeRef": {"value": "NON"}}
    return {"Amount": Decimal(amount), "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
