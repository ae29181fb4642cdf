"""What the database promises by itself: emit_event, isolation, constraints, the pace."""

from __future__ import annotations

import datetime as dt
import itertools
import threading
from functools import partial

import psycopg
import pytest
import sqlalchemy as sa

from erp_pipelines.delivery.pacer import StoredPacer
from erp_pipelines.delivery.places import Places
from erp_pipelines.domain.errors import Throttled
from erp_pipelines.storage import notify, outbox, pacing
from erp_pipelines.storage.engine import Database
from tests.support.toy import KEY, connect


@pytest.fixture
def connection_id(database):
    return connect(database)


def rows(database, statement, **values):
    with database.system() as conn:
        return [tuple(row) for row in conn.execute(sa.text(statement), values)]


def test_a_host_in_any_language_emits_in_its_own_transaction(database_url, database, connection_id):
    url = database_url
    with psycopg.connect(url) as host:
        emitted = host.execute(
            "select erp.emit_event('acme', 'OrderPaid', 'Order', 'o1', '{\"id\": \"o1\"}', 'order-o1', null)"
        ).fetchone()
        assert rows(database, "select count(*) from erp.integration_outbox") == [(0,)]
    assert rows(database, "select id, status from erp.integration_outbox") == [(emitted[0], "Pending")]
    assert rows(database, "select provider, status, ordering_key from erp.integration_deliveries") == [
        ("toy", "Pending", "Order:o1")
    ]


def test_a_host_whose_transaction_is_rolled_back_has_emitted_nothing(database_url, database, connection_id):
    with psycopg.connect(database_url) as host:
        host.execute("select erp.emit_event('acme', 'OrderPaid', 'Order', 'o1', '{}')")
        host.rollback()
    assert rows(database, "select count(*) from erp.integration_outbox") == [(0,)]


@pytest.mark.parametrize("kind", ["text", "json", "jsonb"])
def test_the_payload_may_come_as_text_json_or_jsonb(database_url, connection_id, kind):
    with psycopg.connect(database_url) as host:
        host.execute(f"select erp.emit_event('acme', 'X', 'Customer', 'c1', cast('{{\"id\": \"c1\"}}' as {kind}))")


def test_the_same_idempotency_key_again_appends_nothing_and_returns_the_first_event(database, connection_id):
    with database.tenant("acme") as conn:
        first = outbox.emit(conn, "acme", "X", "Order", "o1", {"id": "o1"}, idempotency_key="order-123")
    with database.tenant("acme") as conn:
        again = outbox.emit(conn, "acme", "X", "Order", "o1", {"id": "o1", "changed": 1}, idempotency_key="order-123")
    assert first == again
    assert rows(database, "select count(*) from erp.integration_deliveries") == [(1,)]


def test_the_same_key_by_two_transactions_at_once_makes_one_event(database, connection_id):
    ids = []

    def emit():
        with database.tenant("acme") as conn:
            ids.append(outbox.emit(conn, "acme", "X", "Order", "o1", {"id": "o1"}, idempotency_key="k"))

    threads = [threading.Thread(target=emit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 8
    assert len(set(ids)) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("'nobody', 'X', 'Order', 'o1', '{}'", "there is no tenant 'nobody'"),
        ("'acme', 'X', 'Invoice', 'o1', '{}'", "'Invoice' is no entity type"),
        ("'acme', 'X', 'Order', 'o1', '[]'", "the payload must be a JSON object"),
    ],
)
def test_a_wrong_event_is_refused_by_name(database_url, connection_id, call, message):
    with psycopg.connect(database_url) as host, pytest.raises(psycopg.Error, match=message):
        host.execute(f"select erp.emit_event({call})")


def test_a_commit_wakes_who_listens(database, connection_id):
    with notify.listening(database) as listener:
        assert listener.wait(0.05) is None
        with database.tenant("acme") as conn:
            outbox.emit(conn, "acme", "X", "Customer", "c1", {"id": "c1"})
        assert listener.wait(5) == "acme:toy"


def test_events_of_one_entity_are_numbered_in_the_order_of_their_commits(database, connection_id):
    first, second = database.engine.connect(), database.engine.connect()
    try:
        for conn in (first, second):
            conn.execute(sa.text("select set_config('erp.tenant_id', 'acme', false)"))
        outbox.emit(first, "acme", "First", "Customer", "c1", {"id": "c1"})
        late = threading.Thread(
            target=lambda: (outbox.emit(second, "acme", "Second", "Customer", "c1", {"id": "c1"}), second.commit())
        )
        late.start()
        late.join(0.3)
        assert late.is_alive()
        first.commit()
        late.join()
    finally:
        first.close()
        second.close()
    assert rows(database, "select event_type from erp.integration_outbox order by seq") == [("First",), ("Second",)]


@pytest.mark.parametrize(
    "change",
    [
        "status = 'Processing'",
        "status = 'Completed'",
        "status = 'Completed', processed_at = now()",
        "status = 'Abandoned'",
        "claimed_by = 'me'",
        "processed_at = now()",
        "status = 'Sent'",
    ],
)
def test_the_tables_refuse_states_that_cannot_be(database, connection_id, change):
    with database.tenant("acme") as conn:
        outbox.emit(conn, "acme", "X", "Customer", "c1", {"id": "c1"})
    with pytest.raises(sa.exc.IntegrityError), database.tenant("acme") as conn:
        conn.execute(sa.text(f"update erp.integration_deliveries set {change}"))


def test_two_workers_can_never_hold_events_of_one_entity(database, connection_id):
    with database.tenant("acme") as conn:
        for _ in range(2):
            outbox.emit(conn, "acme", "X", "Customer", "c1", {"id": "c1"})
    with pytest.raises(sa.exc.IntegrityError, match="processing"), database.tenant("acme") as conn:
        conn.execute(
            sa.text(
                "update erp.integration_deliveries set status = 'Processing', claimed_by = 'a', claimed_until = now()"
            )
        )


def test_two_tenants_can_never_share_a_company(database, connection_id):
    from erp_pipelines.domain.connections import ConnectionKey
    from erp_pipelines.domain.errors import Conflict

    with pytest.raises(Conflict):
        connect(database, ConnectionKey("other", "toy"), company="company-1")


def test_a_forgotten_tenant_filter_leaks_nothing(database, connection_id):
    with database.tenant("acme") as conn:
        outbox.emit(conn, "acme", "X", "Customer", "c1", {"id": "c1"})
    with database.tenant("stranger") as conn:
        assert conn.execute(sa.text("select count(*) from erp.integration_outbox")).scalar_one() == 0
        assert conn.execute(sa.text("update erp.integration_deliveries set attempts = 9")).rowcount == 0
    with pytest.raises(sa.exc.ProgrammingError, match="row-level security"), database.tenant("stranger") as conn:
        conn.execute(
            sa.text(
                "insert into erp.integration_syncs (tenant_id, provider, entity_types) values ('acme', 'toy', '[]')"
            )
        )


CELL = dt.timedelta(seconds=0.125)


def test_the_pace_is_exact_over_many_processes(database, connection_id, clock):
    """Eight a second with a burst of two: at one moment, 20 askers get slots that never come closer than the cell."""
    slots = []
    for _ in range(20):
        with database.tenant("acme") as conn:
            slots.append(pacing.take(conn, "acme", connection_id, now=clock.now(), cell=CELL, burst=CELL * 2).at)
    waits = [max((slot - clock.now()).total_seconds(), 0) for slot in slots]
    assert waits[:4] == [0, 0, 0, 0.125]
    assert [round(later - earlier, 6) for earlier, later in itertools.pairwise(waits[2:])] == [0.125] * 17


@pytest.fixture
def pacer(database, connection_id, clock):
    with database.worker("test") as session:
        own = partial(session.tenant, "acme"), partial(session.statements, "acme")
        yield StoredPacer(*own, clock, KEY, connection_id, requests_per_minute=480)


def take_turn(pacer):
    with pacer.turn():
        pass


def test_a_worker_sleeps_until_its_slot(pacer, clock):
    for _ in range(5):
        take_turn(pacer)
    assert clock.slept == [0.125, 0.125, 0.125]


def test_five_failures_in_a_row_open_the_circuit_and_one_answer_closes_it(pacer, clock):
    take_turn(pacer)
    for _ in range(5):
        pacer.failed()
    with pytest.raises(Throttled) as caught:
        take_turn(pacer)
    assert 0 < caught.value.retry_after <= 30
    clock.advance(31)
    take_turn(pacer)
    pacer.answered()
    pacer.failed()
    take_turn(pacer)


def test_a_throttle_is_remembered_and_closes_the_circuit(pacer, clock, database):
    pacer.places = Places(4, 4)
    for _ in range(4):
        with pacer.turn():
            pacer.failed()
    with pacer.turn():
        pacer.throttled()
    assert rows(database, "select in_flight, failures from erp.integration_pacing") == [(2, 0)]


def test_a_circuit_that_fails_again_after_its_pause_opens_at_once(pacer, clock):
    take_turn(pacer)
    for _ in range(5):
        pacer.failed()
    clock.advance(31)
    take_turn(pacer)
    pacer.failed()
    with pytest.raises(Throttled):
        take_turn(pacer)


def test_two_connections_that_settle_one_event_at_once_leave_its_sum_right(database, connection_id):
    from erp_pipelines.domain.connections import ConnectionKey

    connect(database, ConnectionKey("acme", "toytwo"), company="company-2")
    with database.tenant("acme") as conn:
        outbox.emit(conn, "acme", "X", "Customer", "c1", {"id": "c1"})
    settle = sa.text(
        "update erp.integration_deliveries set status = 'Completed', outcome = 'Created', processed_at = now() where provider = :p"
    )
    first, second = database.engine.connect(), database.engine.connect()
    try:
        for conn in (first, second):
            conn.execute(sa.text("select set_config('erp.tenant_id', 'acme', false)"))
        first.execute(settle, {"p": "toy"})
        late = threading.Thread(target=lambda: (second.execute(settle, {"p": "toytwo"}), second.commit()))
        late.start()
        late.join(0.3)
        first.commit()
        late.join()
    finally:
        first.close()
        second.close()
    assert rows(database, "select status from erp.integration_outbox") == [("Completed",)]


def test_a_worker_s_session_forgets_its_tenant_before_others_get_it(database, connection_id):
    one = Database.connect(database.url, pool_size=1)
    seen = sa.text("select count(*) from erp.integration_connections where id = cast(:id as uuid)")
    for holding in (partial(one.worker, "test"), one.onlooker):
        with holding() as session:
            with session.statements("acme") as conn:
                assert conn.execute(seen, {"id": connection_id}).scalar_one() == 1
            with session.tenant("other") as conn:
                assert conn.execute(seen, {"id": connection_id}).scalar_one() == 0
        with one.engine.connect() as conn:  # the same session, under no name
            assert conn.execute(seen, {"id": connection_id}).scalar_one() == 0
    one.dispose()


def test_a_worker_s_session_asks_indexes_and_others_as_they_please(database, connection_id):
    """However small PostgreSQL takes a table for: the plan is kept while the table grows."""
    one, planned = Database.connect(database.url, pool_size=1), sa.text("show enable_seqscan")
    for holding in (partial(one.worker, "test"), one.onlooker):
        with holding() as session, session.tenant("acme") as conn:
            assert conn.execute(planned).scalar_one() == "off"
        with one.engine.connect() as conn:
            assert conn.execute(planned).scalar_one() == "on"
    one.dispose()


def test_a_tenant_that_was_named_in_a_transaction_that_failed_is_named_again(database, connection_id):
    seen = sa.text("select count(*) from erp.integration_connections where id = cast(:id as uuid)")
    with database.worker("test") as session:
        with pytest.raises(ZeroDivisionError), session.tenant("acme"):
            raise ZeroDivisionError
        with session.tenant("acme") as conn:
            assert conn.execute(seen, {"id": connection_id}).scalar_one() == 1
