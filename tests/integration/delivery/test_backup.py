"""A back-up taken with events in flight, restored elsewhere: the ERP goes on where it was, and so must the product."""

from __future__ import annotations

import datetime as dt
import subprocess
from contextlib import contextmanager

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql

from erp_pipelines.delivery import worker
from erp_pipelines.delivery.worker import Budget
from erp_pipelines.server import binaries
from erp_pipelines.storage import deliveries
from erp_pipelines.storage.engine import Database
from tests.support.toy import KEY, lose_answer, toy_runtime

STATES = "select entity_id, status, in_doubt from erp.integration_deliveries order by seq"


def program(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(binaries.find() / name), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def backup(server, database_url, tmp_path):
    """Takes a dump of the database as docs/operations.md says; its path."""

    def take(name: str = "erp.dump") -> str:
        path, source = str(tmp_path / name), server.admin_url(database_url.rsplit("/", 1)[1])
        done = program("pg_dump", "--format=custom", "--file", path, source)
        assert (done.returncode, done.stderr) == (0, "")
        return path

    return take


@contextmanager
def restored(server, path: str):
    """The dump in a database of its own."""
    with psycopg.connect(server.admin_url(), autocommit=True) as admin:
        admin.execute(sql.SQL("create database restored owner erp"))
    try:
        done = program("pg_restore", "--exit-on-error", "--dbname", server.admin_url("restored"), path)
        assert (done.returncode, done.stderr) == (0, "")
        database = Database.connect(server.url("restored"))
        yield database
        database.dispose()
    finally:
        with psycopg.connect(server.admin_url(), autocommit=True) as admin:
            admin.execute(sql.SQL("drop database restored with (force)"))


def states(database: Database) -> list[tuple[str, str, bool]]:
    with database.tenant(KEY.tenant_id) as conn:
        return [tuple(row) for row in conn.execute(sa.text(STATES))]


def drain(runtime, clock) -> None:
    for _ in range(3):
        worker.serve(runtime, KEY)
        clock.advance(minutes=10)


def test_events_in_flight_survive_and_nothing_is_sent_twice(server, runtime, shop, erp, clock, connection_id, backup):
    for number in range(1, 4):
        shop.customer(f"c{number}")
    worker.serve(runtime, KEY, Budget(events=2))
    erp.after = [lose_answer]
    worker.serve(runtime, KEY)
    shop.customer("c4")
    with runtime.db.tenant(KEY.tenant_id) as conn:  # a worker that the disaster ends has this one in hand
        deliveries.claim(
            conn, connection_id, "gone", now=clock.now(), until=clock.now() + dt.timedelta(minutes=5), limit=1
        )
    shop.customer("c5")
    before = [
        ("c1", "Completed", False), ("c2", "Completed", False), ("c3", "Failed", True), ("c4", "Processing", False),
        ("c5", "Pending", False),
    ]  # fmt: skip
    assert states(runtime.db) == before
    with restored(server, backup()) as database:
        assert states(database) == before
        drain(toy_runtime(database, clock, erp), clock)
        assert states(database) == [(f"c{number}", "Completed", False) for number in range(1, 6)]
    assert erp.doubles() == []
    assert [entity for _, _, entity in erp.arrived] == ["c1", "c2", "c3", "c4", "c5"]


def test_what_was_sent_after_the_back_up_is_sent_again_under_the_same_key(server, runtime, shop, erp, clock, backup):
    for number in range(1, 4):
        shop.customer(f"c{number}")
    earlier = backup()
    worker.serve(runtime, KEY)
    assert len(erp.arrived) == 3
    with restored(server, earlier) as database:
        drain(toy_runtime(database, clock, erp), clock)
        assert states(database) == [(f"c{number}", "Completed", False) for number in range(1, 4)]
        with database.tenant(KEY.tenant_id) as conn:
            found = conn.execute(
                sa.text("select external_id from erp.integration_entity_mappings order by prometheus_id")
            )
            assert list(found.scalars()) == ["1", "2", "3"]
    assert erp.doubles() == []
    assert len(erp.arrived) == 3  # the ERP knew the keys
