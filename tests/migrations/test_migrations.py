from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from erp_pipelines.domain.errors import DatabaseDown
from erp_pipelines.storage import (
    commerce_tables,  # noqa: F401
    console_tables,  # noqa: F401
    migrations,
)
from erp_pipelines.storage.engine import Database
from erp_pipelines.storage.tables import SCHEMA, metadata

OPTS = {
    "version_table_schema": SCHEMA,
    "include_schemas": True,
    "compare_server_default": True,
    "include_name": lambda name, kind, _: name == SCHEMA if kind == "schema" else True,
}


@pytest.fixture
def empty(empty_database_url):
    database = Database.connect(empty_database_url)
    yield database
    database.dispose()


def differences(database: Database) -> list[object]:
    with database.system() as conn:
        return compare_metadata(MigrationContext.configure(conn, opts=OPTS), metadata)


def objects(database: Database) -> set[str]:
    """Everything in the schema besides alembic's own table: tables, indexes, functions, triggers, policies, constraints."""
    found = sa.text("""
        select 'class ' || relname from pg_class where relnamespace = 'erp'::regnamespace and relname not like '%alembic%'
        union all select 'function ' || oid::regprocedure from pg_proc where pronamespace = 'erp'::regnamespace
        union all select 'trigger ' || tgname from pg_trigger where not tgisinternal
        union all select 'policy ' || tablename || ' ' || policyname from pg_policies where schemaname = 'erp'
        union all select 'constraint ' || conname from pg_constraint
          where connamespace = 'erp'::regnamespace and conname not like '%alembic%'
    """)
    with database.system() as conn:
        return set(conn.execute(found).scalars())


def test_an_empty_database_migrates_to_exactly_the_table_definitions(empty):
    assert migrations.upgrade(empty) == (None, migrations.head())
    assert differences(empty) == []


def test_a_second_upgrade_changes_nothing(empty):
    migrations.upgrade(empty)
    before = objects(empty)
    assert migrations.upgrade(empty) == (migrations.head(), migrations.head())
    assert objects(empty) == before


def test_down_to_nothing_and_up_again_gives_the_same_schema(empty):
    migrations.upgrade(empty)
    before = objects(empty)
    migrations.downgrade(empty, "base")
    assert objects(empty) == set()
    migrations.upgrade(empty)
    assert objects(empty) == before


def test_an_older_release_leaves_a_newer_schema_as_it_is_and_works_with_it(empty):
    """Its unit and its container run `erp migrate` before anything else, after going back too."""
    migrations.upgrade(empty)
    with empty.system() as conn:
        conn.execute(sa.text("update erp.alembic_version set version_num = '9999'"))
    before = objects(empty)
    assert migrations.upgrade(empty) == ("9999", "9999")
    assert objects(empty) == before
    assert migrations.serves("9999")
    assert not any(migrations.serves(revision) for revision in (None, "0001"))


def test_a_step_that_meets_a_worker_gives_way_and_is_tried_again_alone(empty, monkeypatch):
    """The worker holds one table and waits for another, which the step has; what the steps before have done stays done."""
    monkeypatch.setattr(migrations, "LOCK_TIMEOUT", "50ms")
    monkeypatch.setattr(migrations, "TRIES", 3)
    monkeypatch.setattr(migrations, "REST_SECONDS", 0.0)
    migrations.upgrade(empty, "0026")
    once, tries = migrations._once, []

    def counted(*arguments):
        tries.append(migrations.current(empty))
        return once(*arguments)

    monkeypatch.setattr(migrations, "_once", counted)
    with empty.system() as worker:
        worker.execute(sa.text("lock table erp.integration_outbox in access share mode"))
        with pytest.raises(DatabaseDown, match="kept a table locked through 3 tries"):
            migrations.upgrade(empty)
        stopped_at = migrations.current(empty)
    assert tries.count(stopped_at) == 3
    assert "0026" < stopped_at < migrations.head()
    assert migrations.upgrade(empty) == (stopped_at, migrations.head())
    assert differences(empty) == []


def test_processes_that_migrate_at_once_wait_for_each_other(empty):
    failures: list[BaseException] = []

    def migrate() -> None:
        try:
            migrations.upgrade(empty)
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=migrate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert differences(empty) == []


def test_every_table_with_a_tenant_is_under_row_level_security(database):
    with database.system() as conn:
        open_tables = conn.execute(sa.text("""
            select c.relname from pg_class c where c.relnamespace = 'erp'::regnamespace and c.relkind = 'r'
              and c.relname <> 'alembic_version' and not (c.relrowsecurity and c.relforcerowsecurity)
        """)).scalars().all()  # fmt: skip
    assert open_tables == []


def test_a_server_that_is_down_is_named_with_the_mend():
    database = Database.connect("postgresql://erp:erp@127.0.0.1:1/erp")
    with pytest.raises(
        DatabaseDown, match=r"PostgreSQL at 127\.0\.0\.1:1 \(database 'erp'\) cannot be reached"
    ) as caught:
        migrations.upgrade(database)
    assert "ERP_DATABASE_URL" in caught.value.mend
