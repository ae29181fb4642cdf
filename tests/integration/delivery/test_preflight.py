"""Before a bulk sync: what would fail is told with its mend, and nothing is queued, sent or changed."""

from __future__ import annotations

import datetime as dt

import pytest

from erp_pipelines.commerce import orders
from erp_pipelines.delivery.preflight import preflight
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import ConnectionLost, NotFound
from erp_pipelines.domain.events import EntityType
from erp_pipelines.storage import connections
from erp_twins.quickbooks import operations
from erp_twins.quickbooks.entities import SCHEMAS
from tests.support.books import KEY, Shop
from tests.support.erps import ERPS
from tests.support.factories import make_order

EVERYTHING = ["Product", "Customer", "Order"]
MARCH = dt.date(2026, 3, 2)


@pytest.fixture
def shop(database, clock):
    return Shop(database, clock)


def check(shop, kinds=EVERYTHING, **more):
    return preflight(shop.runtime, KEY, kinds, **more)


def numbers(found):
    return found.total, found.to_send, found.unchanged, found.skipped, found.failing


def told(found):
    return [(problem.why.cause, problem.entity_type, problem.entity_ids) for problem in found.problems]


def brought(shop):
    """A sale that stands in the books, and its ids there."""
    shop.sale()
    assert shop.serve().counts["Created"] == 4
    return {kind: shop.twin.ledger().documents[kind][0]["Id"] for kind in ("Customer", "Item", "Invoice")}


def test_a_sync_that_would_work_says_what_it_would_do_and_does_nothing(shop):
    shop.sale()
    shop.order("o2", paid=False)
    found = check(shop)
    assert numbers(found) == (5, 4, 0, 1, 0)  # customer, product, order and its payment; the unpaid order is not wanted
    assert found.problems == ()
    assert [call.kind for call in shop.twin.calls.since() if call.kind == "write"] == []
    assert shop.rows("select distinct status from erp.integration_deliveries") == [("Pending",)]
    assert shop.rows("select count(*) from erp.integration_syncs") == [(0,)]


def test_what_stands_there_unchanged_would_not_be_sent(shop):
    brought(shop)
    assert numbers(check(shop)) == (4, 0, 4, 0, 0)
    shop.customer(name="Renamed Ltd")
    assert numbers(check(shop)) == (4, 1, 3, 0, 0)


def test_an_order_brings_what_it_requires_into_the_count(shop):
    shop.sale()
    assert numbers(check(shop, ["Order"])) == (2, 4, 0, 0, 0)
    assert numbers(check(shop, ["Order"], entity_ids=["o1"])) == (1, 3, 0, 0, 0)


def test_closed_books_are_found_for_each_document_of_that_time(shop):
    shop.twin.add_company("9130350000000001", book_close_date="2026-02-28")
    shop.sale("old", order_date=dt.date(2026, 2, 28))
    shop.order("new", order_date=MARCH)
    found = check(shop)
    assert told(found) == [("closed-period", "Order", ("old",))]
    [problem] = found.problems
    assert "2026-02-28" in problem.why.message
    assert problem.why.erp_code == "6200"
    assert str(problem.why.owner) == "bookkeeper"
    assert "reopen the period" in problem.why.mend


def test_a_name_that_an_inactive_record_holds_is_found(shop):
    for number in (1, 2):
        operations.create(shop.company, SCHEMAS["Customer"], {"DisplayName": f"Customer c{number}"})
    shop.company.customers[0]["Active"] = False  # under its old name
    shop.customer("c1")
    shop.customer("c2")
    [problem] = check(shop, ["Customer"]).problems
    assert (problem.why.cause, problem.entity_ids) == ("name-taken", ("c1",)), "an active namesake is adopted"
    assert "make it active again" in problem.why.mend


def test_customers_and_products_that_were_switched_off_stop_what_relies_on_them(shop):
    ids = brought(shop)
    with shop.twin.person() as somebody:
        somebody.deactivate("Customer", ids["Customer"])
        somebody.deactivate("Item", ids["Item"])
    shop.customer(name="Renamed Ltd")
    shop.order("o2")
    shop.order("o3")
    found = check(shop)
    assert ("reference", "Customer", ("c1",)) in told(found)
    assert ("reference", "Order", ("o2", "o3")) in told(found)
    assert ("reference", "Payment", ("o2-1", "o3-1")) in told(found)
    assert found.failing == 5


def test_an_inactive_income_account_is_told_of_once(shop):
    shop.product("p1")
    shop.product("p2")
    with shop.twin.person() as somebody:
        somebody.deactivate("Account", shop.company.account("Sales of Product Income"))
    found = check(shop, ["Product"])
    assert told(found) == [("reference", "", ())]
    assert "choose another one in the connection's settings" in found.problems[0].why.mend
    assert found.failing == 0, "it is the connection that fails, not a record"


def test_a_currency_that_the_company_has_not_is_found_without_asking(shop):
    shop.customer()
    shop.product()
    shop.order(currency="EUR")
    shop.twin.calls.clear()
    found = check(shop, ["Order"], entity_ids=["o1"])
    assert told(found) == [("currency", "Order", ("o1",))]


def test_many_records_with_one_mend_are_one_problem_that_counts_them(shop):
    shop.twin.add_company("9130350000000001", book_close_date="2026-12-31")
    shop.sale()
    with shop.database.tenant(KEY.tenant_id) as conn:
        for number in range(2, 27):
            orders.save(conn, KEY.tenant_id, make_order(f"o{number}"))
    shop.settings(documentsWhen="confirmed")
    [problem] = [problem for problem in check(shop).problems if problem.entity_type == "Order"]
    assert (problem.count, len(problem.entity_ids)) == (26, 20)


def test_a_hundred_records_cost_a_few_calls(shop):
    for number in range(120):
        shop.customer(f"c{number}")
    shop.twin.calls.clear()
    assert check(shop, ["Customer"]).to_send == 120
    assert len(shop.twin.calls.since()) <= 4


def test_a_connection_that_cannot_be_asked_says_why(shop):
    shop.sale()
    shop.twin.grants.expire_access()
    shop.twin.grants.disconnect("9130350000000001")
    with pytest.raises(ConnectionLost):
        check(shop)
    with shop.database.tenant(KEY.tenant_id) as conn:
        assert str(connections.get(conn, KEY).state) == "Reconnect needed"


def test_unknown_ids_and_connections_are_named(shop):
    with pytest.raises(NotFound, match="no order 'o9'"):
        check(shop, ["Order"], entity_ids=["o9"])
    with pytest.raises(NotFound):
        preflight(shop.runtime, ConnectionKey("acme", "netsuite"), EVERYTHING)


# --- every provider ---


@pytest.fixture(params=ERPS)
def standing(database, clock, request):
    """A sale that stands in the books of each provider."""
    shop = Shop(database, clock, request.param)
    shop.settings(documentsWhen="confirmed")
    shop.sale(paid=False)
    assert shop.serve().counts["Created"] == 3
    return shop


def asked(shop, kinds):
    shop.twin.calls.clear()
    found = preflight(shop.runtime, shop.key, kinds)
    assert [call for call in shop.twin.calls.since() if call.kind == "write"] == []
    return found


def test_each_provider_finds_nothing_where_nothing_is_wrong(standing):
    standing.customer("c2")
    standing.order("o2", customer_id="c2", paid=False)
    assert numbers(asked(standing, EVERYTHING)) == (5, 2, 3, 0, 0)


def test_each_provider_finds_what_was_switched_off(standing):
    [product] = standing.there.books()[EntityType.PRODUCT]
    standing.there.switches_off(product)
    standing.order("o2", paid=False)
    [problem] = asked(standing, ["Order"]).problems
    assert (problem.entity_type, problem.entity_ids) == ("Order", ("o2",))
    assert "active" in problem.why.mend
    assert str(problem.why.owner) == "bookkeeper"


def test_netsuite_leaves_inactive_items_their_names(database, clock):
    shop = Shop(database, clock, "netsuite")
    shop.product()
    shop.serve()
    shop.there.switches_off(shop.there.books()[EntityType.PRODUCT][0])
    shop.product("p2", name="Product p1")
    problems = [problem for problem in asked(shop, ["Product"]).problems if problem.entity_ids == ("p2",)]
    assert [problem.why.cause for problem in problems] == ["name-taken"]
    assert "make it active again" in problems[0].why.mend
