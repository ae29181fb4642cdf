"""What a connector is told of a record that it is to bring, and what PostgreSQL knows of it meanwhile."""

from __future__ import annotations

from decimal import Decimal

import pytest

from erp_pipelines.connectors.base import ExternalRef, Moved
from erp_pipelines.delivery import replay, worker
from erp_pipelines.delivery.job import LEASE
from erp_pipelines.domain.errors import Rejected
from erp_pipelines.storage import drifts, mappings
from tests.support.toy import KEY, connect, lose_answer, toy_runtime

IN_HAND = "select in_doubt, sent_at, claimed_until from erp.integration_deliveries where status = 'Processing' and entity_type = :kind"
DRIFTS = "select entity_id, field from erp.integration_drifts order by 1, 2"


@pytest.fixture
def runtime(database, clock, erp, connection_id):
    connect(database, documents_when="confirmed")
    return toy_runtime(database, clock, erp)


@pytest.fixture
def told(erp):
    """The writes that were handed to the connector, in order."""
    writes = []
    erp.always = writes.append
    return writes


def test_a_first_try_has_no_doubt_and_a_key_of_its_own(runtime, shop, told):
    shop.customer()
    worker.serve(runtime, KEY)
    [write] = told
    assert (write.known, write.in_doubt, write.doubt_since, write.keyed) == (None, False, None, True)


def test_a_try_after_a_lost_answer_is_told_since_when_it_is_in_doubt(runtime, shop, erp, clock, told):
    erp.after = [lose_answer]
    shop.customer()
    worker.serve(runtime, KEY)
    sent_at = clock.now()
    clock.advance(minutes=5)
    worker.serve(runtime, KEY)
    first, second = told
    assert (second.in_doubt, second.doubt_since, second.keyed) == (True, sent_at, True)
    assert second.key("create") == first.key("create")


def test_what_went_in_a_batch_is_told_to_have_gone_without_a_key_of_its_own(runtime, shop, erp, clock, told):
    erp.after = [lose_answer]
    shop.customer()
    worker.serve(runtime, KEY)
    with runtime.db.tenant(KEY.tenant_id) as conn:
        conn.exec_driver_sql("update erp.integration_doubts set keyless = true")
    clock.advance(minutes=5)
    worker.serve(runtime, KEY)
    assert [write.keyed for write in told] == [True, False]


def test_a_person_s_retry_has_a_new_key_unless_a_doubt_is_open(runtime, shop, erp, clock, told):
    """Under the old key the ERP would repeat its refusal; while in doubt, only the old one finds what was done."""

    def refuse(_):
        raise Rejected("A rule.", cause="rule", mend="Mend it.")

    erp.before = [refuse]
    shop.customer()
    worker.serve(runtime, KEY)
    erp.before, erp.after = [], [lose_answer]
    replay.retry_failed(runtime, KEY)
    worker.serve(runtime, KEY)
    with runtime.db.tenant(KEY.tenant_id) as conn:
        conn.exec_driver_sql("update erp.integration_deliveries set key_generation = key_generation + 1")
    clock.advance(minutes=5)
    worker.serve(runtime, KEY)
    refused, lost, settled = (write.key("create") for write in told)
    assert refused != lost
    assert settled == lost


def test_a_change_is_told_what_stands_there(runtime, shop, erp, told):
    erp.telling = {"snapshot": {"total": "1.00"}}
    shop.customer(name="One")
    worker.serve(runtime, KEY)
    shop.customer(name="Two")
    worker.serve(runtime, KEY)
    known = told[1].known
    assert (known.external_id, known.external_type, known.sync_token) == ("1", "Customer", "0")
    assert known.snapshot == {"total": "1.00"}


def test_a_change_is_noted_before_it_leaves_too(runtime, shop, erp, clock):
    shop.customer(name="One")
    worker.serve(runtime, KEY)
    seen = []
    erp.before = [lambda _: seen.extend(shop.rows(IN_HAND, kind="Customer"))]
    shop.customer(name="Two")
    worker.serve(runtime, KEY)
    assert seen == [(True, clock.now(), clock.now() + LEASE)]


def test_a_try_is_noted_once_however_many_of_its_writes_change_what_is_known(runtime, shop, erp, clock):
    """The order's own write comes after its new customer's, which was noted: one note tells of the try."""
    shop.customer()
    shop.product()
    shop.order()
    worker.serve(runtime, KEY)
    with runtime.db.tenant(KEY.tenant_id) as conn:
        conn.exec_driver_sql("delete from erp.integration_entity_mappings where entity_type = 'Customer'")
    noted_at, seen = clock.now(), []
    erp.before = [lambda _: clock.advance(seconds=1), lambda _: seen.extend(shop.rows(IN_HAND, kind="Order"))]
    shop.order(memo="Another")
    worker.serve(runtime, KEY, entity_types={"Order"})
    assert [(in_doubt, sent_at) for in_doubt, sent_at, _ in seen] == [(True, noted_at)]


@pytest.mark.parametrize(("changed", "left"), [(True, []), (False, [("c1", "name")])])
def test_what_was_written_says_what_we_say_so_its_differences_end(runtime, shop, changed, left):
    shop.customer(name="One")
    worker.serve(runtime, KEY)
    with runtime.db.tenant(KEY.tenant_id) as conn:
        drifts.put(conn, KEY, "Customer", "c1", "1", {"name": ("One", "Uno")}, now=runtime.clock.now())
    if changed:
        shop.customer(name="Two")
    shop.customer("c2")
    worker.serve(runtime, KEY)
    assert shop.rows(DRIFTS) == left


def test_one_of_the_erp_s_records_never_stands_for_two_of_ours(runtime, shop, erp):
    erp.telling = {"external_id": "77", "external_number": "Smith"}
    shop.customer("c1")
    shop.customer("c2")
    worker.serve(runtime, KEY)
    assert shop.rows("select prometheus_id, external_id from erp.integration_entity_mappings") == [("c1", "77")]
    assert shop.deliveries("entity_id, status, cause, last_error, mend") == [
        ("c1", "Completed", None, None, None),
        (
            "c2",
            "Abandoned",
            "shared-record",
            "Customer Smith stands for another Customer of yours already.",
            "Give Customer c2 a name of its own, or merge the two.",
        ),
    ]


@pytest.mark.parametrize("told_of", ["another document", "a change"])
def test_what_is_told_besides_the_binding_is_stored_with_it_or_not_at_all(runtime, shop, erp, monkeypatch, told_of):
    def fail(*_, **__):
        raise ZeroDivisionError

    shop.customer(name="One")
    worker.serve(runtime, KEY)
    if told_of == "a change":
        monkeypatch.setattr(drifts, "put", fail)
        shop.customer(name="Two")
    else:
        monkeypatch.setattr(mappings, "moved", fail)
        moved = Moved(ExternalRef("Customer", "1"), Decimal(1), 1)
        erp.telling = {"moved": (moved,), "updated_at": runtime.clock.now()}
        shop.customer("c2")
    worker.serve(runtime, KEY)
    assert shop.rows("select prometheus_id, sync_token from erp.integration_entity_mappings") == [("c1", "0")]
