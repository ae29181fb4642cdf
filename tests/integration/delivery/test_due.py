from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.storage import connections as stored
from erp_pipelines.storage import due, inbox_intake
from erp_pipelines.storage.engine import Connection, Database
from tests.support.toy import connect

EMIT = "select erp.emit_event(:tenant, 'CustomerUpdated', 'Customer', :id, jsonb_build_object('id', cast(:id as text)))"
MANY = (
    "insert into erp.tenants (id, name) select 'many' || n, 'Many' from generate_series(1, 3000) n",
    """insert into erp.integration_connections (tenant_id, provider, external_company_id, state)
    select 'many' || n, 'toy', 'of many' || n, 'Connected' from generate_series(1, 3000) n""",
)


def soon() -> dt.datetime:
    return dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1)


def key(tenant: str) -> ConnectionKey:
    return ConnectionKey(tenant, "toy")


def emit(db: Database, tenant: str, entity: str = "c1") -> None:
    with db.tenant(tenant) as conn:
        conn.execute(sa.text(EMIT), {"tenant": tenant, "id": entity})


def change(db: Database, tenant: str, what: str) -> None:
    with db.system() as conn:
        conn.execute(sa.text(f"update erp.integration_deliveries set {what} where tenant_id = '{tenant}'"))


def notice(db: Database, tenant: str) -> None:
    one = inbox_intake.NewNotice(key(tenant), f"e-{tenant}", f"of {tenant}", "Invoice", "1", "Update", None)
    with db.system() as conn:
        inbox_intake.insert(conn, [one])


def asked(db: Database) -> list[str]:
    with db.system() as conn:
        return [one.tenant_id for one in due.connections(conn, now=soon())]


def test_due_are_those_with_events_notices_or_a_dead_workers_claim_and_no_others(database: Database) -> None:
    for tenant in ("event", "notice", "lease", "later", "idle", "away", "served", "both"):
        connect(database, key(tenant), f"of {tenant}")
    for tenant in ("event", "lease", "later", "away", "served", "both", "both"):
        emit(database, tenant)
    for tenant in ("notice", "both"):
        notice(database, tenant)
    change(database, "lease", "status = 'Processing', claimed_by = 'dead', claimed_until = now() - interval '1 hour'")
    change(database, "later", "status = 'Failed', scheduled_for = now() + interval '1 hour'")
    change(database, "event", "scheduled_for = now() - interval '2 hours'")
    with database.system() as conn:
        stored.change(conn, stored.get(conn, key("away")).id, state="Reconnect needed")
    with database.worker(due.LOCK_PREFIX + str(key("served"))):
        found = asked(database)
    assert found[0] == "event"
    assert sorted(found) == ["both", "event", "lease", "notice"]


def test_what_a_worker_has_in_hand_is_due_from_the_moment_of_its_death(database: Database) -> None:
    for tenant in ("events", "notices", "waits"):
        connect(database, key(tenant), f"of {tenant}")
    emit(database, "events")
    change(database, "events", "status = 'Processing', claimed_by = 'one', claimed_until = now() + interval '1 hour'")
    notice(database, "notices")
    with database.system() as conn:
        conn.execute(sa.text("update erp.integration_inbox set status = 'InProgress'"))

    def due_now() -> list[str]:
        with database.system() as conn:
            return [tenant for tenant in ("events", "notices", "waits") if due.is_due(conn, key(tenant), now=soon())]

    with database.worker(due.LOCK_PREFIX + str(key("events"))), database.worker(due.LOCK_PREFIX + str(key("notices"))):
        assert (asked(database), due_now()) == ([], [])
    assert (sorted(asked(database)), due_now()) == (["events", "notices"], ["events", "notices"])


def test_connections_with_nothing_to_do_are_not_looked_at(database: Database) -> None:
    for tenant in ("one", "two"):
        connect(database, key(tenant), f"of {tenant}")
        emit(database, tenant)
    few = pages(database)
    with database.system() as conn:
        for statement in MANY:
            conn.execute(sa.text(statement))
    assert asked(database) == ["one", "two"]
    assert pages(database) <= few + 20  # deeper indexes, and nothing for each of three thousand


def pages(database: Database) -> int:
    with database.system() as conn:
        conn.execute(due._HOP)
        explain = sa.text("explain (analyze, buffers, format json) " + due._CONNECTIONS.text)
        found = conn.execute(explain, {"now": soon(), "prefix": due.LOCK_PREFIX}).scalar_one()
    return int(found[0]["Plan"]["Shared Hit Blocks"] + found[0]["Plan"]["Shared Read Blocks"])


def test_active_connections_are_counted_no_further_than_asked(database: Database) -> None:
    for tenant in ("one", "two", "three"):
        connect(database, key(tenant), f"of {tenant}")

    def count(conn: Connection, *providers: str, most: int) -> int:
        return stored.count_active(conn, providers, most=most)

    with database.system() as conn:
        assert count(conn, "toy", most=2) == 2
        assert count(conn, "toy", "other", most=9) == 3
        assert count(conn, "other", most=9) == 0
