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
