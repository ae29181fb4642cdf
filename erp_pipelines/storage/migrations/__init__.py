"""Brings a database to the newest schema; several processes may try at once."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from erp_pipelines.storage import commerce_tables, console_tables  # noqa: F401  register their tables
from erp_pipelines.storage.engine import Database, database_down, set_scope
from erp_pipelines.storage.tables import SCHEMA, metadata

# A migration waits this long for a lock before it gives way: a queue behind it would stop the host's orders.
LOCK_TIMEOUT = "5s"
STATEMENT_TIMEOUT = "10min"


def upgrade(db: Database, revision: str = "head") -> tuple[str | None, str | None]:
    """Migrate up to `revision` and return the revisions before and after.

    One transaction: it happens whole or not at all. Raises DatabaseDown when the server cannot be reached.
    """
    return _migrate(db, lambda config: command.upgrade(config, revision))


def downgrade(db: Database, revision: str) -> tuple[str | None, str | None]:
    """Migrate down to `revision` ("base" for an empty database)."""
    return _migrate(db, lambda config: command.downgrade(config, revision))


def current(db: Database) -> str | None:
    """The revision the database is at; None for one that was never migrated."""
    with db.system() as conn:
        return _context(conn).get_current_revision()


def head() -> str:
    """The newest revision that this code knows."""
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    if newest is None:
        raise LookupError("the package holds no migration")
    return newest


def _migrate(db: Database, step: Callable[[Config], None]) -> tuple[str | None, str | None]:
    try:
        conn = db.engine.connect()
    except sa.exc.OperationalError as error:
        raise database_down(db.engine, error) from error
    with conn, conn.begin():
        _prepare(conn)
        before = _context(conn).get_current_revision()
        config = _config()
        config.attributes["connection"] = conn
        step(config)
        return before, _context(conn).get_current_revision()


def _prepare(conn: sa.Connection) -> None:
    """Wait for other migrations first: a lock time-out must not hit a process that only came second."""
    conn.execute(sa.text("select pg_advisory_xact_lock(hashtextextended('erp:migrations', 0))"))
    conn.execute(sa.text(f"set local lock_timeout = '{LOCK_TIMEOUT}'"))
    conn.execute(sa.text(f"set local statement_timeout = '{STATEMENT_TIMEOUT}'"))
    set_scope(conn, "*")
    conn.execute(sa.text(f"create schema if not exists {SCHEMA}"))


def _context(conn: sa.Connection) -> MigrationContext:
    return MigrationContext.configure(conn, opts={"version_table_schema": SCHEMA, "target_metadata": metadata})


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "erp_pipelines.storage:migrations")
    return config
