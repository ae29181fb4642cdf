from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
import structlog

from erp_pipelines.delivery import due, worker
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import (
    ConnectionLost,
    LockLost,
    Rejected,
    RequirementMissing,
    Throttled,
    Unavailable,
)
from erp_pipelines.storage.due import LOCK_PREFIX
from tests.support.toy import KEY, ToyConnector, ToyErp, connect, lose_answer, toy_runtime


def raising(error):
    def fault(_write):
        raise error

    return fault


def unavailable():
    return raising(Unavailable("No answer."))


def test_a_paid_order_becomes_a_document_with_all_it_needs_and_its_payment(runtime, shop, erp):
    shop.paid_order()
    report = worker.serve(runtime, KEY)
    assert [kind for kind, _ in erp.documents] == ["Customer", "Product", "Order", "Payment"]
    assert report.counts == {"Created": 4, "Superseded": 1}  # the order as it was saved, before it was paid
    assert (report.writes, report.reads, report.parked, report.more) == (4, 0, None, False)


def test_an_unpaid_order_is_no_document(runtime, shop, erp):
    shop.customer()
    shop.product()
    shop.order()
    worker.serve(runtime, KEY)
    assert shop.states("Order") == [("o1", "Completed", "NotWanted")]
    assert erp.of("Order") == []


def test_a_confirmed_order_is_one_where_the_settings_say_so(database, clock, erp, shop):
    connect(database, documents_when="confirmed")
    shop.customer()
    shop.product()
    shop.order()
    worker.serve(toy_runtime(database, clock, erp), KEY)
    assert erp.of("Order") == ["o1"]


def test_what_was_paid_for_a_document_that_stands_is_brought_whatever_the_settings_say_now(
    runtime, database, shop, erp
):
    connect(database, documents_when="confirmed")
    shop.customer()
    shop.product()
    shop.order()
    worker.serve(runtime, KEY)
    connect(database, documents_when="paid")
    shop.pay(amount=Decimal("10.00"))
    worker.serve(runtime, KEY)
    assert [outcome for *_, outcome in shop.states("Payment")] == ["Created"]


def test_a_second_pass_sends_nothing(runtime, shop, erp):
    shop.paid_order()
    worker.serve(runtime, KEY)
    again = worker.serve(runtime, KEY)
    assert again.handled == 0
    assert len(erp.arrived) == 4


def test_dependencies_are_pushed_before_the_order_that_needs_them(database, clock, erp, shop):
    shop.customer()
    shop.product()
    with database.tenant(KEY.tenant_id) as conn:
        conn.exec_driver_sql("delete from erp.integration_deliveries")
    shop.order()
    shop.pay()
    worker.serve(toy_runtime(database, clock, erp), KEY)
    assert [place[1:] for place in erp.arrived] == [
        ("Customer", "c1"),
        ("Product", "p1"),
        ("Order", "o1"),
        ("Payment", "o1-1"),
    ]


def test_an_unchanged_record_costs_no_call(runtime, shop, erp):
    shop.customer(name="One")
    worker.serve(runtime, KEY)
    shop.customer(name="Two")
    worker.serve(runtime, KEY)
    shop.customer(name="One")
    shop.customer(name="Two")
    worker.serve(runtime, KEY)
    assert shop.states("Customer") == [
        ("c1", "Completed", "Created"), ("c1", "Completed", "Updated"), ("c1", "Completed", "Superseded"), ("c1", "Completed", "Unchanged"),
    ]  # fmt: skip
    assert [purpose for purpose, *_ in erp.arrived] == ["create", "update:0"]


def test_of_several_waiting_updates_the_last_one_is_sent(runtime, shop, erp):
    for name in ("One", "Two", "Three"):
        shop.customer(name=name)
    worker.serve(runtime, KEY)
    assert [outcome for *_, outcome in shop.states("Customer")] == ["Superseded", "Superseded", "Created"]
    assert len(erp.arrived) == 1


def test_failures_are_retried_after_one_two_four_eight_sixteen_minutes_then_abandoned_with_an_alert(
    runtime, shop, erp, clock
):
    erp.always = unavailable()
    shop.customer()
    waits = []
    for _ in range(6):
        worker.serve(runtime, KEY)
        [(status, at)] = shop.deliveries("status, scheduled_for")
        waits.append((status, at - clock.now()))
        clock.moment = max(clock.moment, at)
    minutes = [dt.timedelta(minutes=n) for n in (1, 2, 4, 8, 16)]
    assert waits[:5] == [("Failed", minute) for minute in minutes]
    assert waits[5][0] == "Abandoned"
    assert shop.rows("select cause, entity_type, entity_id from erp.integration_alerts") == [
        ("erp-unavailable", "Customer", "c1")
    ]
    assert shop.rows("select status, retry_count from erp.integration_outbox") == [("Abandoned", 5)]
    clock.advance(hours=48)
    assert due.connections(runtime) == []


def test_a_rule_of_the_erp_abandons_at_once_and_holds_up_nobody_else(runtime, shop, erp):
    erp.before = [raising(Rejected("The name is too long.", cause="too-long", mend="Shorten it."))]
    shop.customer("c1")
    shop.customer("c2")
    report = worker.serve(runtime, KEY)
    assert shop.states("Customer") == [("c1", "Abandoned", "too-long"), ("c2", "Completed", "Created")]
    assert [(failure.entity_id, failure.mend) for failure in report.failures] == [("c1", "Shorten it.")]


def test_a_definitive_refusal_gets_a_new_request_key_on_the_next_try(runtime, shop, erp):
    keys = []

    def refuse(write):
        keys.append(write.key("create"))
        if len(keys) == 1:
            raise Rejected("No.", cause="rule", mend="Mend it.")

    erp.always = refuse
    shop.customer()
    worker.serve(runtime, KEY)
    with runtime.db.tenant("acme") as conn:
        conn.exec_driver_sql("update erp.integration_deliveries set status = 'Pending', processed_at = null")
    worker.serve(runtime, KEY)
    assert len(set(keys)) == 2


def test_a_repeat_after_no_answer_keeps_the_request_key(runtime, shop, erp, clock):
    keys = []

    def watch(write):
        keys.append(write.key("create"))
        if len(keys) == 1:
            raise Unavailable("No answer.")

    erp.always = watch
    shop.customer()
    worker.serve(runtime, KEY)
    clock.advance(minutes=2)
    worker.serve(runtime, KEY)
    assert len(keys) == 2
    assert len(set(keys)) == 1


@pytest.mark.parametrize("honours_keys", [True, False])
def test_a_write_whose_answer_was_lost_is_in_doubt_and_settled_without_a_double(
    runtime, shop, erp, clock, honours_keys
):
    erp.honours_keys = honours_keys
    erp.after = [lose_answer]
    shop.customer()
    worker.serve(runtime, KEY)
    assert shop.deliveries("status, in_doubt, cause") == [("Failed", True, "in-doubt")]
    clock.advance(minutes=2)
    worker.serve(runtime, KEY)
    assert shop.deliveries("status, in_doubt, outcome") == [("Completed", False, "Adopted")]
    assert erp.doubles() == []
    assert shop.rows("select in_doubt, status from erp.integration_sync_logs order by started_at") == [
        (True, "Failed"),
        (False, "Completed"),
    ]


def test_a_doubt_survives_a_try_that_could_not_even_ask(runtime, shop, erp, clock):
    erp.after = [lose_answer]
    shop.customer()
    worker.serve(runtime, KEY)
    erp.before = [unavailable()]
    clock.advance(minutes=2)
    worker.serve(runtime, KEY)
    assert shop.deliveries("status, in_doubt") == [("Failed", True)]


def test_an_event_in_doubt_is_settled_before_a_later_one_of_its_record(runtime, shop, erp, clock):
    erp.after = [lose_answer]
    shop.customer(name="One")
    worker.serve(runtime, KEY)
    shop.customer(name="Two")
    clock.advance(minutes=2)
    worker.serve(runtime, KEY)
    assert [outcome for *_, outcome in shop.states("Customer")] == ["Superseded", "Updated"]
    assert erp.doubles() == []


def test_a_record_given_up_in_doubt_is_looked_up_before_a_later_event_creates_it(runtime, shop, erp, clock):
    erp.honours_keys = False
    erp.after = [lose_answer]
    shop.customer(name="One")
    worker.serve(runtime, KEY)
    with runtime.db.tenant("acme") as conn:
        conn.exec_driver_sql("update erp.integration_deliveries set status = 'Abandoned', processed_at = now()")
    shop.customer(name="Two")
    worker.serve(runtime, KEY)
    assert shop.deliveries("status, outcome, in_doubt") == [("Abandoned", None, False), ("Completed", "Updated", False)]
    assert [purpose for purpose, *_ in erp.arrived] == ["create", "update:0"]
    assert erp.doubles() == []


def test_a_retry_of_an_old_event_never_overwrites_a_newer_state(runtime, shop, erp):
    from erp_pipelines.delivery import replay

    erp.before = [raising(Rejected("No.", cause="rule", mend="Mend it."))]
    shop.customer(name="Old")
    worker.serve(runtime, KEY)
    shop.customer(name="New")
    worker.serve(runtime, KEY)
    assert replay.retry_failed(runtime, KEY) == 1
    worker.serve(runtime, KEY)
    assert shop.states("Customer") == [("c1", "Completed", "Superseded"), ("c1", "Completed", "Created")]
    assert len(erp.arrived) == 1


def test_a_throttle_pauses_the_connection_and_spends_no_retry(runtime, shop, erp, clock):
    erp.before = [raising(Throttled("Slow down.", retry_after=60))]
    shop.customer("c1")
    shop.customer("c2")
    report = worker.serve(runtime, KEY)
    assert "Slow down" in (report.parked or "")
    assert shop.deliveries("status, retry_count, cause, last_error") == [
        ("Pending", 0, "erp-throttled", "Slow down."),
        ("Pending", 0, None, None),
    ]
    assert worker.serve(runtime, KEY).handled == 0
    assert due.connections(runtime) == []
    clock.advance(61)
    assert worker.serve(runtime, KEY).counts == {"Created": 2}


def test_a_lost_grant_parks_the_connection_and_its_events_go_on_after_the_reconnect(runtime, database, shop, erp):
    erp.before = [raising(ConnectionLost("The grant is gone.", mend="Reconnect."))]
    shop.customer()
    report = worker.serve(runtime, KEY)
    assert report.parked == "The grant is gone."
    assert shop.deliveries("status, retry_count, cause, last_error, mend") == [
        ("Pending", 0, "reconnect-needed", "The grant is gone.", "Reconnect.")
    ]
    assert due.connections(runtime) == []
    connect(database)
    assert due.connections(runtime) == [KEY]
    assert worker.serve(runtime, KEY).counts == {"Created": 1}


def test_an_event_that_misses_something_becomes_due_by_itself_when_that_exists(runtime, shop, erp):
    erp.before = [raising(Rejected("The name is taken.", cause="name-taken", mend="Rename it."))]
    shop.customer(name="Taken")
    worker.serve(runtime, KEY)
    shop.product()
    shop.order()
    erp.before = [lambda _: None, raising(Rejected("The name is taken.", cause="name-taken", mend="Rename it."))]
    shop.pay()
    worker.serve(runtime, KEY)
    order = [row for row in shop.deliveries("entity_type, status, requirement") if row[0] == "Order"][-1]
    assert order == ("Order", "Abandoned", "mapping:Customer:c1")
    shop.customer(name="Free")
    worker.serve(runtime, KEY)
    assert shop.states("Order")[-1] == ("o1", "Completed", "Created")
    assert shop.states("Payment")[-1] == ("o1-1", "Completed", "Created")


def test_a_missing_setting_is_named_with_its_mend(runtime, shop, erp):
    missing = RequirementMissing("No income account.", requirement="setting:incomeAccountId", mend="Choose one.")
    erp.before = [raising(missing)]
    shop.product()
    worker.serve(runtime, KEY)
    assert shop.deliveries("status, requirement, last_error, mend") == [
        ("Abandoned", "setting:incomeAccountId", "No income account.", "Choose one.")
    ]


def test_a_document_whose_total_differs_is_bound_but_never_taken_for_done(runtime, shop, erp):
    erp.off_by = Decimal("0.01")
    shop.paid_order()
    worker.serve(runtime, KEY)
    assert shop.states("Order")[-1] == ("o1", "Abandoned", "total-differs")
    assert shop.rows(
        "select external_number, fingerprint from erp.integration_entity_mappings where entity_type = 'Order'"
    ) == [("o1", None)]
    [(message,)] = shop.rows("select last_error from erp.integration_deliveries where cause = 'total-differs'")
    assert message == "Invoice o1 comes to 25.01, order o1 to 25.00: a difference of 0.01."


def test_a_bug_in_the_program_is_a_failed_event_and_no_failed_worker(runtime, shop, erp):
    erp.before = [raising(ZeroDivisionError("secret text")), unavailable()]
    shop.customer("c1")
    shop.customer("c2")
    with structlog.testing.capture_logs() as lines:
        worker.serve(runtime, KEY)
    told = [(line["event"], type(line["exc_info"])) for line in lines if line["log_level"] == "error"]
    assert told == [("event provoked an error of the program", ZeroDivisionError)]
    assert shop.deliveries("entity_id, status, last_error") == [
        ("c1", "Failed", "An unexpected ZeroDivisionError stopped this event."), ("c2", "Failed", "No answer."),
    ]  # fmt: skip


def test_a_payload_that_is_no_record_is_abandoned_with_its_field(runtime, shop, database):
    with database.tenant("acme") as conn:
        conn.exec_driver_sql("select erp.emit_event('acme', 'Changed', 'Customer', 'x', '{\"id\": \"x\"}')")
    worker.serve(runtime, KEY)
    assert shop.deliveries("status, last_error") == [("Abandoned", "Customer: name: Field required.")]


def test_a_second_worker_finds_the_connection_busy(runtime, database, shop):
    shop.customer()
    with database.worker(LOCK_PREFIX + str(KEY)):
        report = worker.serve(runtime, KEY)
        assert (report.busy, report.handled) == (True, 0)
        assert due.connections(runtime) == []
    assert due.connections(runtime) == [KEY]


def test_a_worker_that_lost_its_database_session_stops_before_the_next_send(runtime, server, shop, erp):
    import psycopg

    def cut(_write):
        with psycopg.connect(server.admin_url(), autocommit=True) as admin:
            admin.execute(
                "select pg_terminate_backend(l.pid) from pg_locks l join pg_database d on d.oid = l.database"
                " where l.locktype = 'advisory' and l.granted and d.datname = %s",
                [runtime.db.engine.url.database],
            )

    erp.before = [cut]
    shop.customer("c1")
    shop.customer("c2")
    with pytest.raises(LockLost):
        worker.serve(runtime, KEY)
    assert erp.arrived == []
    assert worker.serve(runtime, KEY).counts == {"Created": 2}
    assert erp.doubles() == []


def test_what_a_dead_worker_held_is_taken_over_in_doubt_and_logged(runtime, shop, erp):
    shop.customer()
    with runtime.db.tenant("acme") as conn:
        conn.exec_driver_sql(
            "update erp.integration_deliveries set status = 'Processing', claimed_by = 'dead', claimed_until = now() + interval '1 hour', in_doubt = true, attempts = 1"
        )
    erp.documents[("Customer", "c1")] = [{"id": "77"}]
    worker.serve(runtime, KEY)
    assert shop.deliveries("status, outcome, attempts") == [("Completed", "Adopted", 2)]
    assert shop.rows("select outcome from erp.integration_sync_logs order by started_at, outcome desc") == [
        ("TakenOver",),
        ("Adopted",),
    ]


def test_the_budget_ends_a_worker_with_work_left(runtime, shop):
    for number in range(5):
        shop.customer(f"c{number}")
    report = worker.serve(runtime, KEY, worker.Budget(events=3))
    assert (report.counts, report.more) == ({"Created": 3}, True)


def test_a_worker_told_to_stop_gives_back_what_it_has_not_begun(runtime, shop):
    for number in range(4):
        shop.customer(f"c{number}")
    asked = iter([False, False, False, True, True])
    report = worker.serve(runtime, KEY, stop=lambda: next(asked))
    assert report.counts == {"Created": 2}
    assert [status for (status,) in shop.deliveries("status")] == ["Completed", "Completed", "Pending", "Pending"]


def test_events_reach_each_connection_once_with_a_state_of_their_own(database, clock, erp, shop):
    other = ConnectionKey("acme", "toytwo")
    connect(database, other, company="company-2")
    shop.customer()
    both = {"toy": ToyConnector(erp), "toytwo": ToyConnector(ToyErp(), "toytwo")}
    parts = toy_runtime(database, clock, erp, connectors=both)
    assert due.connections(parts) == [KEY, other]
    worker.serve(parts, KEY)
    assert shop.rows("select provider, status from erp.integration_deliveries order by provider") == [
        ("toy", "Completed"),
        ("toytwo", "Pending"),
    ]
    assert shop.rows("select status from erp.integration_outbox") == [("Pending",)]


def test_a_provider_that_is_not_set_up_here_is_left_to_others(database, clock, erp, shop):
    shop.customer()
    parts = toy_runtime(database, clock, erp, connectors={})
    assert due.connections(parts) == []
    assert due.active(parts) == []
    assert due.is_due(parts, KEY) is False


def test_one_tenant_sees_nothing_of_another(database, shop):
    shop.customer()
    with database.tenant("other") as conn:
        assert conn.exec_driver_sql("select count(*) from erp.integration_outbox").scalar_one() == 0
        assert conn.exec_driver_sql("select count(*) from erp.customers").scalar_one() == 0


def test_with_auto_sync_off_nothing_is_delivered_but_a_named_target_is(database, clock, erp, shop):
    connect(database, auto_sync_enabled=False)
    shop.customer()
    assert shop.deliveries() == []
    assert shop.rows("select status from erp.integration_outbox") == [("Completed",)]
    with database.tenant("acme") as conn:
        conn.exec_driver_sql(
            "select erp.emit_event('acme', 'Asked', 'Customer', 'c1', '{\"id\": \"c1\", \"name\": \"N\"}', null, 'Toy')"
        )
    worker.serve(toy_runtime(database, clock, erp), KEY)
    assert erp.of("Customer") == ["c1"]


def test_a_rolled_back_save_sends_nothing(database, runtime, erp):
    from erp_pipelines.commerce import customers
    from tests.support.factories import make_customer

    with pytest.raises(RuntimeError), database.tenant("acme") as conn:  # noqa: PT012
        customers.save(conn, "acme", make_customer())
        raise RuntimeError
    assert worker.serve(runtime, KEY).handled == 0
    assert erp.arrived == []


def test_the_outbox_sums_up_its_deliveries(database, runtime, shop, erp):
    erp.before = [unavailable()]
    shop.customer()
    worker.serve(runtime, KEY)
    assert shop.rows("select status, retry_count, last_error from erp.integration_outbox") == [
        ("Failed", 1, "No answer.")
    ]


def test_what_the_provider_is_to_have_none_of_is_not_brought_and_says_why(runtime, shop, erp):
    erp.unwanted = {"Payment": "Sales orders take no payments."}
    shop.paid_order()
    worker.serve(runtime, KEY)
    assert erp.of("Payment") == []
    assert [state[1:] for state in shop.states("Payment")] == [("Completed", "NotWanted")]
    assert shop.rows("select error_message from erp.integration_sync_logs where entity_type = 'Payment'") == [
        ("Sales orders take no payments.",)
    ]


@pytest.mark.parametrize(
    ("died", "told"),
    [
        (39, ("Completed", None, None)),
        (40, ("Abandoned", "41 workers have ended over this event.", "Look up the runs' logs, then retry it.")),
    ],
)
def test_an_event_that_many_workers_have_died_over_is_a_persons_job(database, runtime, shop, erp, died, told):
    shop.customer()
    with database.tenant("acme") as conn:
        conn.exec_driver_sql(f"update erp.integration_deliveries set attempts = {died}")
    worker.serve(runtime, KEY)
    assert shop.deliveries("status, last_error, mend") == [told]
    assert len(erp.arrived) == (told[0] == "Completed")
