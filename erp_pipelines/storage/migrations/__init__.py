"""Brings a database to the newest schema; several processes may try at once."""

from __future__ import annotations

import time
from collections.abc import Callable

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from erp_pipelines.domain.errors import DatabaseDown
from erp_pipelines.storage import commerce_tables, console_tables  # noqa: F401  register their tables
from erp_pipelines.storage.engine import Database, database_down, set_scope
from erp_pipelines.storage.tables import SCHEMA, metadata

# A migration waits this long for a lock before it gives way: a queue behind it would stop the host's orders.
LOCK_TIMEOUT = "5s"
STATEMENT_TIMEOUT = "10min"
# A deadlock, a lock that did not come in time.
GAVE_WAY = {"40P01", "55P03"}
TRIES, REST_SECONDS = 10, 1.0


def upgrade(db: Database, revision: str = "head") -> tuple[str | None, str | None]:
    """Migrate up to `revision` and return the revisions before and after.

    Each revision in a transaction of its own, so that beside working processes few tables are locked at a time; an empty
    database in one. A schema that only newer code knows is left as it is: an older release works with it. Raises
    DatabaseDown when the server cannot be reached, or others leave a table no moment free.
    """

    def one_step(config: Config, at: str | None) -> None:
        if (following := _following(at, revision)) is not None:
            command.upgrade(config, following)

    before, at = _migrate(db, one_step)
    while (reached := _migrate(db, one_step)[1]) != at:
        at = reached
    return before, at


def downgrade(db: Database, revision: str) -> tuple[str | None, str | None]:
    """Migrate down to `revision` ("base" for an empty database)."""
    return _migrate(db, lambda config, _: command.downgrade(config, revision))


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


def serves(revision: str | None) -> bool:
    """Whether this code works with a database at that revision: the newest it knows, or one that only newer code knows.

    The latter is so in the midst of an upgrade, and after going back to an older release.
    """
    return revision == head() or _is_newer(revision)


def _following(at: str | None, target: str) -> str | None:
    """Where the next step from `at` on the way to `target` leads: from nothing all the way at once; None when there is none."""
    if at is None:
        return target
    if _is_newer(at):
        return None
    steps = list(ScriptDirectory.from_config(_config()).iterate_revisions(target, at))
    return steps[-1].revision if steps else None


def _is_newer(revision: str | None) -> bool:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    return revision is not None and revision not in known


def _migrate(db: Database, step: Callable[[Config, str | None], None]) -> tuple[str | None, str | None]:
    """Workers lock tables in an order of their own: a step that met them gives way, whole, and is tried again."""
    for _ in range(TRIES):
        try:
            return _once(db, step)
        except sa.exc.OperationalError as error:
            if getattr(error.orig, "sqlstate", None) not in GAVE_WAY:
                raise
        time.sleep(REST_SECONDS)
    raise DatabaseDown(
        f"Others have kept a table locked through {TRIES} tries.",
        mend="Look for a session that is idle in a transaction, or run it when less is going on.",
    )


def _once(db: Database, step: Callable[[Config, str | None], None]) -> tuple[str | None, str | None]:
    try:
        conn = db.engine.connect()
    except sa.exc.OperationalError as error:
        raise database_down(db.engine, error) from error
    with conn, conn.begin():
        _prepare(conn)
        before = _context(conn).get_current_revision()
        config = _config()
        config.attributes["connection"] = conn
        step(config, before)
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
