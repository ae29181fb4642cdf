"""Customers and items that a bookkeeper changes: taken over where the tenant wants it, else shown as drift."""

from __future__ import annotations

import datetime as dt

import pytest

from erp_pipelines.delivery import gaps, pull
from erp_pipelines.storage import inbox_intake
from erp_pipelines.storage.inbox_intake import NewNotice
from erp_twins.quickbooks import operations
from erp_twins.quickbooks.entities import SCHEMAS
from tests.support.books import KEY, Shop


@pytest.fixture
def shop(database, clock):
    made = Shop(database, clock)
    made.customer(email="old@shop.example", billing_address={"name": "Ann", "line1": "1 Quay", "city": "Hull"})
    made.product(sku="S-1")
    made.settings(documentsWhen="confirmed")
    made.order(paid=False)
    made.serve()
    return made


def later(shop, seconds=600):
    shop.clock.advance(seconds)
    shop.twin.clock.set(shop.clock.moment)


def pulled(shop):
    later(shop)
    return pull.pull(shop.runtime, KEY)


def edit(shop, changes, entity="Customer", ident="1"):
    later(shop)
    with shop.twin.person() as person:
        person.edit(entity, ident, changes)


def drift(shop):
    return shop.rows("select entity_type, entity_id, field, ours, theirs from erp.integration_drifts order by 1, 2, 3")


def alerts(shop):
    return shop.rows("select cause, entity_type, entity_id from erp.integration_alerts order by 1, 3")


def by_hand(shop, name):
    with shop.twin.lock:
        return operations.create(shop.company, SCHEMAS["Customer"], {"DisplayName": name})["Id"]


def merge(shop, winner, loser, entity="Customer"):
    later(shop)
    with shop.twin.person() as person:
        person.merge(entity, winner, loser)


def test_what_was_pushed_as_it_is_is_no_drift(shop):
    edit(shop, {"Notes": "Pays late."})
    edit(shop, {"Description": ""}, "Item")
    pulled(shop)
    assert (drift(shop), alerts(shop)) == ([], [])


def test_a_change_that_nobody_switched_on_is_drift_and_ours_stays(shop):
    edit(shop, {"PrimaryEmailAddr": {"Address": "new@books.example"}})
    edit(shop, {"UnitPrice": 13}, "Item")
    pulled(shop)
    assert drift(shop) == [
        ("Customer", "c1", "email", "old@shop.example", "new@books.example"),
        ("Product", "p1", "unitPrice", "12.5", "13"),
    ]
    assert shop.rows("select email from erp.customers") == [("old@shop.example",)]
    assert shop.rows("select outcome from erp.integration_sync_logs where direction = 'FromExternal' order by id") == [
        ("Drifted",),
        ("Drifted",),
    ]


def test_drift_ends_when_the_bookkeeper_or_a_push_makes_both_the_same(shop):
    edit(shop, {"PrimaryEmailAddr": {"Address": "new@books.example"}})
    edit(shop, {"UnitPrice": 13}, "Item")
    pulled(shop)
    edit(shop, {"PrimaryEmailAddr": {"Address": "old@shop.example"}})
    pulled(shop)
    assert [row[0] for row in drift(shop)] == ["Product"]
    shop.product(sku="S-1", description="New words")
    shop.serve()
    assert drift(shop) == []
    assert shop.company.items[0]["UnitPrice"] == 12.5


def test_switched_on_fields_follow_the_erp_and_are_not_told_back(shop):
    shop.settings(customerFieldsFromErp=["email", "billingAddress"])
    events = shop.rows("select count(*) from erp.integration_outbox")
    edit(shop, {"PrimaryEmailAddr": {"Address": "new@books.example"}, "BillAddr": {"Line1": "Ann", "Line2": "2 Quay"}})
    edit(shop, {"DisplayName": "Renamed"})
    pulled(shop)
    assert shop.rows("select email, name, billing_address from erp.customers") == [
        ("new@books.example", "Customer c1", {"name": "Ann", "line1": "2 Quay"})
    ]
    assert drift(shop) == [("Customer", "c1", "name", "Customer c1", "Renamed")]
    assert shop.rows("select count(*) from erp.integration_outbox") == events
    shop.twin.calls.clear()
    with shop.runtime.db.tenant("acme") as conn:
        conn.exec_driver_sql(
            "select erp.emit_event('acme', 'SyncRequested', 'Customer', 'c1', '{\"id\": \"c1\", \"name\": \"Customer c1\","
            ' "email": "new@books.example", "billingAddress": {"name": "Ann", "line1": "2 Quay"}}\'::jsonb, null, null)'
        )
    assert shop.serve().counts == {"Unchanged": 1}
    assert shop.twin.calls.since() == []


def test_while_our_own_news_waits_nothing_is_taken_over_and_ours_wins(shop):
    shop.settings(customerFieldsFromErp=["email"])
    edit(shop, {"PrimaryEmailAddr": {"Address": "new@books.example"}})
    shop.customer(email="newer@shop.example")
    pulled(shop)
    assert shop.rows("select email from erp.customers") == [("newer@shop.example",)]
    shop.serve()
    assert shop.company.customers[0]["PrimaryEmailAddr"] == {"Address": "newer@shop.example"}
    assert drift(shop) == []


def test_a_customer_switched_off_there_is_drift(shop):
    later(shop)
    with shop.twin.person() as person:
        person.deactivate("Customer", "1")
    pulled(shop)
    assert drift(shop) == [("Customer", "c1", "active", True, False)]


def test_a_suffix_that_a_vendor_made_us_take_is_no_drift(shop):
    with shop.twin.lock:
        operations.create(shop.company, SCHEMAS["Vendor"], {"DisplayName": "Both Ltd"})
    shop.customer("c2", name="Both Ltd")
    shop.serve()
    renamed = shop.company.named("Both Ltd (C)")
    edit(shop, {"PrimaryPhone": {"FreeFormNumber": "1"}}, ident=renamed["Id"])
    pulled(shop)
    assert drift(shop) == [("Customer", "c2", "phone", None, "1")]


def test_a_customer_merged_into_a_strangers_record_follows_it(shop):
    other = by_hand(shop, "The whole group")
    merge(shop, other, "1")
    pulled(shop)
    assert shop.rows("select external_id from erp.integration_entity_mappings where entity_type = 'Customer'") == [
        (other,)
    ]
    assert ("Customer", "c1", "name", "Customer c1", "The whole group") in drift(shop)
    assert alerts(shop) == []
    shop.order("o2", paid=False)
    assert shop.serve().counts == {"Created": 1}
    assert shop.company.invoices[-1]["CustomerRef"]["value"] == other
    assert shop.company.get("Customer", other)["DisplayName"] == "The whole group", "written over by nobody"


def test_two_of_ours_merged_there_are_told_of_once(shop):
    shop.customer("c2")
    shop.serve()
    merge(shop, "2", "1")
    pulled(shop)
    pulled(shop)
    assert drift(shop) == [("Customer", "c1", "gone", False, True)]
    assert alerts(shop) == [("record-merged", "Customer", "c1")]


def test_a_merged_item_is_told_of(shop):
    shop.product("p2")
    shop.serve()
    merge(shop, "2", "1", "Item")
    pulled(shop)
    assert alerts(shop) == [("record-merged", "Product", "p1")]


def test_a_document_with_other_amounts_and_one_that_is_gone_are_drift(shop):
    line = {"Amount": 40, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {"ItemRef": {"value": "1"}, "TaxCodeRef": {"value": "NON"}}}  # fmt: skip
    edit(shop, {"Line": [line]}, "Invoice", "101")
    pulled(shop)
    assert drift(shop) == [("Order", "o1", "total", "25.00", "40.00")]
    with shop.twin.person() as person:
        person.delete("Invoice", "101")
    pulled(shop)
    assert drift(shop) == [("Order", "o1", "gone", False, True)]
    assert alerts(shop) == [("document-gone", "Order", "o1")]


def told(shop, kind, ident, *, after):
    """A webhook about a change of just now, stored so long after it."""
    now = shop.clock.now()
    with shop.runtime.db.tenant("acme") as conn:
        inbox_intake.insert(conn, [NewNotice(KEY, f"n:{kind}:{ident}", "company", kind, ident, "Update", now)])
        conn.exec_driver_sql(
            "update erp.integration_inbox set received_at = %(at)s where external_event_id = %(id)s",
            {"at": now + after, "id": f"n:{kind}:{ident}"},
        )


def test_changes_that_no_notice_told_of_in_time_are_counted(shop):
    edit(shop, {"DisplayName": "Told in time"})
    told(shop, "Customer", "1", after=dt.timedelta(minutes=3))
    edit(shop, {"UnitPrice": 13}, "Item")
    told(shop, "Item", "1", after=dt.timedelta(hours=48))
    edit(shop, {"PrivateNote": "PrometheusId:o1 edited"}, "Invoice", "101")
    pulled(shop)
    assert gaps.missed(shop.runtime, KEY) == 1, "that of the invoice may still be on its way"
    later(shop, 600)
    assert gaps.missed(shop.runtime, KEY) == 2
    assert gaps.missed_by_provider(shop.runtime) == {"quickbooks": 2}
    later(shop, 8 * 86_400)
    assert gaps.missed(shop.runtime, KEY) == 0
