"""A record that was sent and not answered for: whoever comes next, by whatever event, settles it first."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from erp_pipelines.commerce import orders
from erp_pipelines.connectors.base import ExternalRef, PaymentState, Ref, Truth
from erp_pipelines.delivery import replay, worker
from erp_pipelines.domain.errors import AnswerLost, Rejected
from erp_pipelines.domain.orders import OrderLine
from erp_pipelines.storage import inbox_intake
from erp_pipelines.storage.inbox_intake import NewNotice
from tests.support.toy import KEY, connect, document, lose_answer, toy_runtime

DOUBTS = "select entity_type, entity_id, payload ->> 'name' from erp.integration_doubts"

TOLD = (
    "select external_event_id, external_company_id, external_type, external_id, operation, occurred_at"
    " from erp.integration_inbox"
)


@pytest.fixture
def runtime(database, clock, erp, connection_id):
    connect(database, documents_when="confirmed")
    return toy_runtime(database, clock, erp)


def refuse(_):
    raise Rejected("A rule.", cause="rule", mend="Mend it.")


def refuse_vaguely(_):
    raise Rejected("Something.", cause="unknown", mend="Look.", definitive=False)


def pushes(erp, entity_type):
    return [purpose for purpose, kind, _ in erp.arrived if kind == entity_type]


def tell(runtime, ref, event_id="n-1"):
    with runtime.db.tenant("acme") as conn:
        inbox_intake.insert(
            conn,
            [NewNotice(KEY, event_id, "company-1", ref.external_type, ref.external_id, "Update", runtime.clock.now())],
        )


def paid(erp, runtime, invoice, ref, amount, record_id=None):
    state = document(invoice, "25.00", str(Decimal("25.00") - Decimal(amount)), updated_at=runtime.clock.now())
    applied = {ExternalRef("Invoice", invoice): Decimal(amount)}
    payment = PaymentState(ref, dt.date(2026, 3, 2), "transfer", None, False, applied, None, record_id)
    erp.truth = Truth((state,), (payment,))


def test_what_was_sent_is_kept_until_its_answer_is_stored(runtime, shop, erp, clock):
    erp.after = [lose_answer]
    shop.customer(name="One")
    worker.serve(runtime, KEY)
    assert shop.rows(DOUBTS) == [("Customer", "c1", "One")]
    assert shop.rows("select keyless from erp.integration_doubts") == [
        (False,)
    ]  # it went alone, under a key of its own
    clock.advance(minutes=2)
    worker.serve(runtime, KEY)
    assert shop.rows(DOUBTS) == []


def test_a_definitive_refusal_ends_the_doubt_and_a_vague_one_does_not(runtime, shop, erp, clock):
    erp.before = [lose_answer, refuse_vaguely]
    shop.customer(name="One")
    worker.serve(runtime, KEY)
    clock.advance(minutes=2)
    worker.serve(runtime, KEY)
    assert shop.deliveries("status, in_doubt") == [("Abandoned", True)]
    assert shop.rows(DOUBTS) == [("Customer", "c1", "One")]
    erp.before = [refuse]
    replay.retry_failed(runtime, KEY)
    worker.serve(runtime, KEY)
    assert shop.deliveries("status, in_doubt") == [("Abandoned", False)]
    assert shop.rows(DOUBTS) == []


@pytest.mark.parametrize("honours_keys", [True, False])
def test_a_customer_renamed_while_in_doubt_is_found_as_it_was_sent_then_renamed(
    runtime, shop, erp, clock, honours_keys
):
    erp.honours_keys = honours_keys
    looked_for = []
    erp.after = [lose_answer]
    shop.customer(name="One")
    worker.serve(runtime, KEY)
    shop.customer(name="Two")
    erp.finding = lambda write: looked_for.append(write.record.name)
    clock.advance(minutes=2)
    worker.serve(runtime, KEY)
    assert looked_for == ["One"]
    assert pushes(erp, "Customer") == ["create", "update:0"]
    assert erp.doubles() == []
    assert shop.rows(DOUBTS) == []


def test_an_order_changed_while_in_doubt_is_looked_for_with_what_it_referred_to(runtime, shop, erp, clock):
    shop.customer()
    shop.product()
    worker.serve(runtime, KEY)
    looked_for = []
    erp.after = [lose_answer]
    shop.order(status="confirmed", memo="first")
    worker.serve(runtime, KEY)
    shop.order(status="confirmed", memo="second")
    erp.finding = lambda write: looked_for.append((write.record.memo, dict(write.refs)))
    clock.advance(minutes=2)
    worker.serve(runtime, KEY)
    assert looked_for == [("first", {Ref("Customer", "c1"): "1", Ref("Product", "p1"): "2"})]
    assert pushes(erp, "Order") == ["create", "update:0"]
    assert erp.doubles() == []


def test_nothing_newer_is_sent_while_the_older_state_may_still_appear(runtime, shop, erp, clock):
    def still_open(_):
        raise AnswerLost("It may still appear.")

    erp.before = [lose_answer]
    shop.customer(name="One")
    worker.serve(runtime, KEY)
    shop.customer(name="Two")
    erp.finding = still_open
    clock.advance(minutes=2)
    worker.serve(runtime, KEY)
    assert pushes(erp, "Customer") == []
    assert shop.rows(DOUBTS) == [("Customer", "c1", "One")]
    erp.finding = None
    clock.advance(minutes=10)
    worker.serve(runtime, KEY)
    assert pushes(erp, "Customer") == ["create"]
    assert shop.rows(DOUBTS) == []


def test_a_customer_in_doubt_is_settled_by_the_order_that_needs_it(runtime, shop, erp, clock):
    erp.honours_keys = False
    erp.after = [lose_answer]
    shop.customer()
    worker.serve(runtime, KEY)
    shop.product()
    shop.order()
    worker.serve(runtime, KEY)
    assert pushes(erp, "Customer") == ["create"]
    assert pushes(erp, "Order") == ["create"]
    assert erp.doubles() == []


def test_an_older_event_retried_after_a_newer_one_was_not_wanted_sends_nothing(runtime, shop, erp):
    """An order refused as confirmed, then cancelled: the retry of the first event must not bill it."""
    erp.before = [lambda write: None, lambda write: None, refuse]
    shop.customer()
    shop.product()
    shop.order()
    worker.serve(runtime, KEY)
    with runtime.db.tenant("acme") as conn:
        orders.cancel(conn, "acme", "o1")
    worker.serve(runtime, KEY)
    replay.retry_failed(runtime, KEY)
    worker.serve(runtime, KEY)
    assert [outcome for *_, outcome in shop.states("Order")] == ["Superseded", "NotWanted"]
    assert pushes(erp, "Order") == []


def test_what_may_stand_there_is_followed_up_though_nobody_wants_it_any_more(database, runtime, shop, erp, clock):
    shop.customer()
    shop.product()
    worker.serve(runtime, KEY)
    erp.after = [lose_answer]
    shop.order()
    worker.serve(runtime, KEY)
    connect(database, documents_when="paid")
    clock.advance(minutes=2)
    worker.serve(runtime, KEY)
    assert shop.states("Order") == [("o1", "Completed", "Adopted")]
    assert shop.rows(DOUBTS) == []


def test_what_was_proven_absent_is_not_brought_where_nobody_wants_it_any_more(runtime, shop, erp, clock):
    shop.customer()
    shop.product()
    worker.serve(runtime, KEY)
    erp.before = [lose_answer]
    shop.order()
    worker.serve(runtime, KEY)
    with runtime.db.tenant("acme") as conn:
        orders.cancel(conn, "acme", "o1")
    clock.advance(minutes=2)
    worker.serve(runtime, KEY)
    assert [outcome for *_, outcome in shop.states("Order")] == ["Superseded", "NotWanted"]
    assert pushes(erp, "Order") == []
    assert shop.rows(DOUBTS) == []


def test_a_payment_told_of_while_its_invoice_was_in_doubt_is_taken_over_once_it_is_adopted(runtime, shop, erp, clock):
    shop.customer()
    shop.product()
    worker.serve(runtime, KEY)
    erp.after = [lose_answer]
    shop.order()
    worker.serve(runtime, KEY)
    invoice = erp.documents[("Order", "o1")][0]["id"]
    paid(erp, runtime, invoice, ExternalRef("Payment", "p-9"), "25.00")
    tell(runtime, ExternalRef("Payment", "p-9"))
    worker.serve(runtime, KEY)
    assert shop.rows("select payment_status from erp.orders") == [("unpaid",)]
    clock.advance(minutes=2)
    worker.serve(runtime, KEY)
    worker.serve(runtime, KEY)
    assert shop.rows("select payment_status from erp.orders") == [("paid",)]
    assert shop.rows("select amount, source from erp.payments") == [(Decimal("25.00"), "toy")]


def test_an_adopted_record_is_looked_at_as_if_the_erp_had_just_told_of_it(runtime, shop, erp, clock):
    erp.after = [lose_answer]
    shop.customer()
    worker.serve(runtime, KEY)
    assert shop.rows(TOLD) == []
    clock.advance(minutes=2)
    worker.serve(runtime, KEY)
    assert shop.rows(TOLD) == [("adopted:Customer:1:0", "company-1", "Customer", "1", "Adopted", None)]


def test_a_payment_of_ours_in_doubt_met_by_a_notice_is_not_counted_twice(runtime, shop, erp, clock):
    shop.paid_order()
    erp.after = [lambda write: None, lambda write: None, lambda write: None, lose_answer]
    worker.serve(runtime, KEY)
    ours = shop.rows("select id from erp.payments")[0][0]
    invoice, there = erp.documents[("Order", "o1")][0]["id"], erp.documents[("Payment", ours)][0]["id"]
    paid(erp, runtime, invoice, ExternalRef("Payment", there), "25.00", record_id=ours)
    tell(runtime, ExternalRef("Payment", there))
    worker.serve(runtime, KEY)
    assert shop.rows("select id, source from erp.payments") == [(ours, "host")]
    assert shop.rows("select entity_id from erp.integration_doubts") == []
    clock.advance(minutes=2)
    worker.serve(runtime, KEY)
    assert (pushes(erp, "Payment").count("create"), erp.doubles()) == (1, [])
    assert [status for _, status, _ in shop.states("Payment")] == ["Completed"]


def test_an_old_document_fully_paid_does_not_settle_an_order_that_has_grown(runtime, shop, erp, clock):
    shop.customer()
    shop.product()
    shop.order()
    worker.serve(runtime, KEY)
    invoice = erp.documents[("Order", "o1")][0]["id"]
    shop.order(lines=[OrderLine(product="p1", quantity=Decimal(4), unit_price=Decimal("12.50"))])
    erp.before = [lose_answer]
    paid(erp, runtime, invoice, ExternalRef("Payment", "p-9"), "25.00")
    tell(runtime, ExternalRef("Payment", "p-9"))
    worker.serve(runtime, KEY)
    assert shop.rows("select payment_status from erp.orders") == [("partiallyPaid",)]


def test_a_voided_document_s_version_is_forgotten_so_the_next_write_looks_first(runtime, shop, erp, clock):
    shop.customer()
    shop.product()
    shop.order()
    worker.serve(runtime, KEY)
    invoice = erp.documents[("Order", "o1")][0]["id"]
    erp.truth = Truth((replace(document(invoice, "0", "0", gone=True), updated_at=runtime.clock.now()),), ())
    tell(runtime, ExternalRef("Invoice", invoice))
    worker.serve(runtime, KEY)
    assert shop.rows("select sync_token from erp.integration_entity_mappings where entity_type = 'Order'") == [(None,)]


def test_a_document_adopted_as_void_is_a_persons_job_and_is_never_written_to(runtime, shop, erp, clock):
    shop.customer()
    shop.product()
    worker.serve(runtime, KEY)
    erp.after = [lose_answer]
    shop.order()
    worker.serve(runtime, KEY)
    erp.void.add("o1")
    clock.advance(minutes=2)
    worker.serve(runtime, KEY)
    assert shop.states("Order") == [("o1", "Abandoned", "voided-in-erp")]
    assert shop.rows("select sync_token from erp.integration_entity_mappings where entity_type = 'Order'") == [(None,)]
    assert pushes(erp, "Order") == ["create"]


def test_what_is_given_up_after_many_tries_says_what_to_do(runtime, shop, erp, clock):
    erp.always = lose_answer
    shop.customer()
    for _ in range(15):
        worker.serve(runtime, KEY)
        clock.advance(hours=2)
    [(status, in_doubt, mend)] = shop.deliveries("status, in_doubt, mend")
    assert (status, in_doubt) == ("Abandoned", True)
    assert mend == "Retry it when the ERP answers again; what may stand there already is looked for first."
