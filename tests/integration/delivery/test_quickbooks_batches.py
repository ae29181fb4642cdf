"""Many records at once in QuickBooks: one call, each record its own verdict, and every promise of the single way."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest

from erp_pipelines.commerce import payments
from erp_twins.quickbooks import operations
from erp_twins.quickbooks.entities import SCHEMAS
from tests.support.books import Shop

MANY = 8  # as few as go together


@pytest.fixture
def shop(database, clock):
    made = Shop(database, clock)
    made.settings(documentsWhen="confirmed")
    return made


def stock(shop, count=MANY):
    for number in range(count):
        shop.customer(f"c{number}")
        shop.product(f"p{number}")


def sell(shop, count=MANY, **changes):
    for number in range(count):
        shop.order(f"o{number}", **{"paid": False, "customer_id": f"c{number}", **changes})


def pay(shop):
    for number in range(MANY):
        with shop.database.tenant("acme") as conn:
            payments.pay(conn, "acme", f"o{number}", date=shop.clock.now().date())


def kinds(shop):
    """The calls since the last look, by operation."""
    found = Counter(f"{call.entity}.{call.operation}" for call in shop.twin.calls.since() if call.kind != "auth")
    shop.twin.calls.clear()
    return dict(found)


def outcomes(shop, kind="Order"):
    return Counter(
        row[0]
        for row in shop.rows(
            "select coalesce(outcome, status) from erp.integration_deliveries where entity_type = :kind", kind=kind
        )
    )


def lose(shop, fault="drop_after_commit", times=None):
    shop.twin.add_fault(fault, operation="batch", times=times)


def wait(shop, seconds):
    shop.clock.advance(seconds)
    shop.twin.clock.set(shop.clock.moment)


def names(shop):
    """How often each name stands in the books."""
    rows = shop.company.customers + shop.company.items
    return Counter(Counter(row.get("DisplayName") or row["Name"] for row in rows).values())


def test_names_then_orders_then_payments_go_in_a_call_for_each_round(shop):
    stock(shop)
    sell(shop, paid=True)
    kinds(shop)
    report = shop.serve()
    assert report.counts == {"Created": 4 * MANY, "Superseded": MANY}
    assert kinds(shop) == {".batch": 3}
    assert {row["Balance"] for row in shop.company.invoices} == {0}
    assert (len(shop.company.invoices), len(shop.company.payments)) == (MANY, MANY)
    assert len(shop.rows("select 1 from erp.integration_doubts")) == 0
    assert shop.rows("select distinct status, in_doubt from erp.integration_deliveries") == [("Completed", False)]
    assert all(
        row[0] for row in shop.rows("select erp_request_id from erp.integration_sync_logs where outcome = 'Created'")
    )


def test_a_few_go_one_by_one(shop):
    stock(shop, 3)
    kinds(shop)
    shop.serve()
    assert ".batch" not in kinds(shop)


def test_a_batch_holds_thirty_at_most_and_no_record_beside_what_it_requires(shop):
    sent = []

    def watch(request):
        if request.url.path.endswith("/batch"):
            sent.append(json.loads(request.content)["BatchItemRequest"])

    shop.answering = watch
    stock(shop, 40)
    sell(shop, 40)
    shop.serve()
    assert max(len(items) for items in sent) == 30
    assert [len(items) for items in sent] == [30, 30, 20, 10, 30]
    for items in sent:
        kinds_there = {key for item in items for key in item if key in {"Customer", "Item", "Invoice"}}
        assert kinds_there in ({"Invoice"}, {"Customer", "Item"})
        assert [item["bId"] for item in items] == [str(number) for number in range(len(items))]


def test_known_names_are_changed_in_batches_and_documents_that_stand_are_not(shop):
    stock(shop)
    sell(shop)
    shop.serve()
    kinds(shop)
    for number in range(MANY):
        shop.customer(f"c{number}", phone="555")
        shop.order(f"o{number}", paid=False, customer_id=f"c{number}", memo="Ring.")
    shop.serve()
    assert kinds(shop) == {".batch": 1, "Invoice.update": MANY}
    assert {row["PrimaryPhone"]["FreeFormNumber"] for row in shop.company.customers} == {"555"}
    assert outcomes(shop, "Customer") == {"Created": MANY, "Updated": MANY}


def test_one_bad_item_is_its_own_verdict(shop):
    stock(shop)
    sell(shop, MANY - 1)
    shop.order("bad", paid=False, customer_id="c0", order_date="2001-01-01")
    shop.twin.add_company("9130350000000001", book_close_date="2010-12-31")
    shop.serve()
    assert outcomes(shop) == {"Created": MANY - 1, "Abandoned": 1}
    assert shop.rows("select entity_id, cause from erp.integration_deliveries where status = 'Abandoned'") == [
        ("bad", "closed-period")
    ]
    assert len(shop.company.invoices) == MANY - 1


def test_a_name_that_is_taken_is_adopted_and_a_strangers_gets_another(shop):
    with shop.twin.lock:
        mine = operations.create(shop.company, SCHEMAS["Customer"], {"DisplayName": "Customer c1"})["Id"]
        operations.create(shop.company, SCHEMAS["Vendor"], {"DisplayName": "Customer c2"})
    stock(shop)
    shop.serve()
    assert outcomes(shop, "Customer") == {"Created": MANY - 1, "Adopted": 1}
    assert shop.rows("select external_id from erp.integration_entity_mappings where prometheus_id = 'c1'") == [(mine,)]
    assert shop.company.named("Customer c2 (C)") is not None
    assert shop.rows("select count(*) from erp.integration_doubts") == [(0,)]


def test_a_version_that_is_out_of_date_is_read_and_sent_again(shop):
    stock(shop)
    shop.serve()
    with shop.twin.person() as person:
        person.edit("Customer", shop.company.named("Customer c3")["Id"], {"Notes": "Pays late."})
    kinds(shop)
    for number in range(MANY):
        shop.customer(f"c{number}", phone="555")
    shop.serve()
    assert kinds(shop) == {".batch": 1, "Customer.update": 2, "Customer.read": 1}
    assert outcomes(shop, "Customer") == {"Created": MANY, "Updated": MANY}


def test_an_answer_lost_once_is_replayed(shop):
    stock(shop)
    lose(shop, times=1)
    shop.serve()
    assert outcomes(shop, "Customer") == {"Created": MANY}
    assert names(shop) == {1: 2 * MANY}
    assert [call.replayed for call in shop.twin.calls.since() if call.operation == "batch"] == [False, True]


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("names", "drop_after_commit"),
        ("orders", "drop_before_commit"),
        ("orders", "drop_after_commit"),
        ("payments", "drop_after_commit"),
    ],
)
def test_a_lost_batch_is_settled_item_by_item_by_looking(shop, fault, kind):
    stock(shop)
    if kind != "names":
        shop.serve()
        sell(shop)
    if kind == "payments":
        shop.serve()
        pay(shop)
    lose(shop, fault)
    shop.serve()
    in_doubt = {"names": 2 * MANY}.get(kind, MANY)
    assert shop.rows("select count(*) from erp.integration_doubts where keyless") == [(in_doubt,)]
    shop.twin.clear_faults()
    for seconds in (61, 200, 400):
        wait(shop, seconds)
        shop.serve()
    assert shop.rows("select count(*) from erp.integration_deliveries where status <> 'Completed'") == [(0,)]
    assert shop.rows("select count(*) from erp.integration_doubts") == [(0,)]
    counts = shop.twin.ledger().counts
    assert (counts["Customer"], counts["Item"]) == (MANY, MANY)
    assert (counts.get("Invoice", 0), counts.get("Payment", 0)) == {
        "names": (0, 0), "orders": (MANY, 0), "payments": (MANY, MANY)}[kind]  # fmt: skip


def test_a_batch_still_at_work_when_its_items_are_looked_for_makes_no_second_document(shop):
    stock(shop)
    shop.serve()
    sell(shop)
    shop.twin.add_fault("slow", operation="batch", seconds=170, times=1)
    lose(shop, "drop_before_commit", times=2)
    shop.serve()
    shop.twin.clear_faults()
    for seconds in (61, 60, 60, 200, 400):
        wait(shop, seconds)
        shop.twin.run_late()
        shop.serve()
    assert len(shop.company.invoices) == MANY
    assert outcomes(shop) == {"Adopted": MANY}


def test_a_throttled_batch_pauses_the_connection_and_leaves_no_doubt(shop):
    stock(shop)
    shop.twin.add_fault("xml_throttle", operation="batch", times=1)
    assert "paused" in shop.serve().parked
    assert shop.rows("select count(*) from erp.integration_doubts") == [(0,)]
    assert shop.rows("select distinct status, in_doubt, retry_count from erp.integration_deliveries") == [
        ("Pending", False, 0)
    ]
    wait(shop, 61)
    shop.serve()
    assert outcomes(shop, "Customer") == {"Created": MANY}


def test_an_item_without_an_answer_is_in_doubt_and_the_others_are_done(shop):
    stock(shop)
    real = shop.twin.handle

    def shortened(request, patience=None):
        answer = real(request, patience)
        if not request.path.endswith("/batch"):
            return answer
        body = json.loads(answer.body)
        body["BatchItemResponse"] = body["BatchItemResponse"][1:]
        return replace(answer, body=json.dumps(body).encode())

    shop.twin.handle = shortened
    shop.serve()
    shop.twin.handle = real
    assert shop.rows("select count(*) from erp.integration_doubts where keyless") == [(1,)]
    assert shop.rows("select status, in_doubt, count(*) from erp.integration_deliveries group by 1, 2 order by 1") == [
        ("Completed", False, 2 * MANY - 1),
        ("Failed", True, 1),
    ]
    wait(shop, 61)
    shop.serve()
    assert shop.rows("select count(*) from erp.integration_doubts") == [(0,)]


def test_a_fault_that_no_catalogue_knows_is_counted(shop):
    stock(shop)
    real = shop.twin.handle

    def odd(request, patience=None):
        if not request.path.endswith("/batch"):
            return real(request, patience)
        fault = {"Error": [{"Message": "Odd", "Detail": "Very odd", "code": "77123"}], "type": "x"}
        items = json.loads(request.body)["BatchItemRequest"]
        rows = [{"bId": item["bId"], "Fault": fault} for item in items]
        answer = json.dumps({"BatchItemResponse": rows}).encode()
        return replace(real(request, patience), status=200, body=answer)

    shop.twin.handle = odd
    shop.serve()
    assert shop.rows("select code, count from erp.integration_unknown_faults") == [("77123", 2 * MANY)]


def test_batches_keep_their_own_pace_beside_that_of_all_calls(shop):
    shop.runtime = replace(shop.runtime, batches_per_minute={"quickbooks": 40.0})
    stock(shop, 60)
    shop.clock.slept.clear()
    shop.serve()
    batches = [call for call in shop.twin.calls.since() if call.operation == "batch"]
    assert len(batches) == 4
    assert shop.clock.slept == [1.5] * 2, "two at once, then one in a second and a half"


def test_size_one_means_no_batches(shop, monkeypatch):
    connector = shop.runtime.connectors["quickbooks"]
    monkeypatch.setattr(connector, "_config", replace(connector._config, batch_size=1))
    stock(shop)
    assert shop.serve().counts == {"Created": 2 * MANY}
    assert [call for call in shop.twin.calls.since() if call.operation == "batch"] == []
