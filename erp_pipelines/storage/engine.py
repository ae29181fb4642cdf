"""The way to PostgreSQL: one pool, transactions that name their tenant, and the worker's lock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, make_url

from erp_pipelines import tracing
from erp_pipelines.domain.errors import DatabaseDown, LockLost
from erp_pipelines.storage import keepalive

# What a statement may raise, for those who must let it pass: a worker stops when PostgreSQL fails it.
StorageError = sa.exc.SQLAlchemyError
# The server is away, and what was given can't be stored: the web app answers these in its own way.
StorageDown: tuple[type[Exception], ...] = (sa.exc.OperationalError, sa.exc.InterfaceError)
Unstorable = sa.exc.DataError

__all__ = ["Connection", "Database", "StorageDown", "StorageError", "Unstorable", "WorkerSession"]

# Row-level security lets a transaction see the rows of the tenant it names; this name stands for all of them.
EVERY_TENANT = "*"
# A statement of ours that runs longer has met a lock or lost its index.
STATEMENT_TIMEOUT_MS = 60_000
# The session that may hold row locks while a token is refreshed is given longer than the token host.
IDLE_TIMEOUT_MS = 120_000
# Whether some session holds the advisory lock of that name, an SQL expression: PostgreSQL lists its 64-bit key in two halves.
LOCK_HELD = """
    exists (
      select 1 from pg_locks l
      where l.locktype = 'advisory' and l.granted and l.objsubid = 1
        and l.database = (select oid from pg_database where datname = current_database())
        and (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended({name}, 0)
    )
"""
_HELD = sa.text("select " + LOCK_HELD.format(name=":name"))


@dataclass(frozen=True)
class Database:
    """A pool of connections to one database. Thread-safe; make one a process."""

    engine: Engine

    @classmethod
    def connect(cls, url: str, *, pool_size: int = 20) -> Database:
        """A pool for `url` (any `postgresql://` spelling). Opens nothing yet.

        Up to `pool_size` sessions stay open once they were needed at one time; what a peak takes beyond that is closed
        after use, which costs a few milliseconds a transaction.
        """
        ends = keepalive.connect_args(
            statement_timeout=STATEMENT_TIMEOUT_MS, idle_in_transaction_session_timeout=IDLE_TIMEOUT_MS
        )
        engine = sa.create_engine(
            driver_url(url),
            pool_size=pool_size,
            max_overflow=30,  # a lane has sixteen workers, each with its session and now and then a second one
            pool_pre_ping=True,
            hide_parameters=True,  # they hold personal data, and error texts end in logs
            connect_args={**ends, "connect_timeout": 10, "application_name": "erp"},
        )
        return cls(engine)

    @property
    def url(self) -> str:
        """With the password, for a driver; never for a log."""
        return self.engine.url.render_as_string(hide_password=False)

    @contextmanager
    def tenant(self, tenant_id: str) -> Iterator[Connection]:
        """A transaction that sees this tenant's rows only. Commits at the end, rolls back on an error.

        Raises DatabaseDown, with the reason, when the server cannot be reached or cannot serve it now.
        """
        with self._transaction(tenant_id) as conn:
            yield conn

    @contextmanager
    def system(self) -> Iterator[Connection]:
        """A transaction over all tenants: for routing, sensors and maintenance, never for a user's request."""
        with self._transaction(EVERY_TENANT) as conn:
            yield conn

    @contextmanager
    def _transaction(self, scope: str) -> Iterator[Connection]:
        with self._checked_out() as conn, _explained(self.engine), conn.begin():
            set_scope(conn, scope)
            yield conn

    @contextmanager
    def _checked_out(self) -> Iterator[Connection]:
        try:
            conn = self.engine.connect()
        except sa.exc.DBAPIError as error:
            raise database_down(self.engine, error) from error
        except sa.exc.TimeoutError as error:  # all of the pool is in use, and stays so
            raise DatabaseDown("No database connection became free in time.", mend=CROWDED) from error
        with conn:
            yield conn

    @contextmanager
    def worker(self, name: str) -> Iterator[WorkerSession | None]:
        """A session that holds the advisory lock `name` until the end; None when another one holds it.

        All statements of a worker go through its session, so losing the session means losing the lock
        and the next statement fails before anything else is sent.
        """
        with self._checked_out() as conn, _explained(self.engine):
            taken = conn.execute(
                sa.text("select pg_try_advisory_lock(hashtextextended(:name, 0))"), {"name": name}
            ).scalar_one()
            conn.commit()
            if not taken:
                yield None
                return
            try:
                yield WorkerSession(conn)
            finally:
                _leave(conn, _UNLOCK, {"name": name})

    def is_held(self, name: str) -> bool:
        """Whether some session holds the lock `name`. Takes nothing, so that those who ask don't hide from each other what is free."""
        with self.system() as conn:
            return bool(conn.execute(_HELD, {"name": name}).scalar_one())

    @contextmanager
    def onlooker(self) -> Iterator[WorkerSession]:
        """A session without the lock, for who asks an ERP and sends it nothing."""
        with self._checked_out() as conn, _explained(self.engine):
            try:
                yield WorkerSession(conn)
            finally:
                _leave(conn, _FORGET, {})

    def dispose(self) -> None:
        self.engine.dispose()


@dataclass
class WorkerSession:
    """The one database session of a worker, with the lock it holds.

    It names its tenant once, not in each of its many transactions, and forgets the name before others get the session.
    """

    conn: Connection
    _named: str = ""

    @contextmanager
    def statements(self, tenant_id: str) -> Iterator[Connection]:
        """As `tenant`, but each statement is a transaction of its own: for reads, and writes of one statement."""
        if tenant_id != self._named:
            with self.tenant(tenant_id):
                pass
        with self.tenant(tenant_id) as conn, _single(conn):
            yield conn

    @contextmanager
    def tenant(self, tenant_id: str) -> Iterator[Connection]:
        """A transaction on the session that holds the lock.

        Raises LockLost when the session is gone, DatabaseDown when the server cannot serve it now.
        """
        if self.conn.invalidated or self.conn.closed:
            raise LockLost("The database session ended, and the connection's lock with it.")
        try:
            with self.conn.begin():
                if tenant_id != self._named:
                    self.conn.execute(_NAME, {"tenant": tenant_id})
                yield self.conn
            self._named = tenant_id  # a rollback would have taken the name back
        except sa.exc.DBAPIError as error:
            if error.connection_invalidated:
                raise LockLost("The database session ended, and the connection's lock with it.") from error
            if isinstance(error, StorageDown):
                raise database_down(self.conn.engine, error) from error
            raise


# A worker asks for few rows by their keys, of queues whose size PostgreSQL learns once a minute. A plan made while they were
# empty reads them whole, and a session keeps it: the first thousand events after an installation cost twice as much.
_NAME = sa.text("select set_config('erp.tenant_id', :tenant, false), set_config('enable_seqscan', 'off', false)")
_AS_BEFORE = "set_config('erp.tenant_id', '', false), set_config('enable_seqscan', 'on', false)"
_FORGET = sa.text(f"select {_AS_BEFORE}")
_UNLOCK = sa.text(f"select {_AS_BEFORE}, pg_advisory_unlock(hashtextextended(:name, 0))")


@contextmanager
def _single(conn: Connection) -> Iterator[None]:
    """Each statement is a transaction of its own, which spares it two journeys to the server."""
    driver = conn.connection.driver_connection
    if driver is None:
        raise LockLost("The database session ended, and the connection's lock with it.")
    driver.autocommit = True
    try:
        yield
    finally:
        if not driver.closed:
            driver.autocommit = False


def _leave(conn: Connection, statement: sa.TextClause, values: dict[str, str]) -> None:
    """Give the lock and the name back. A broken session has given them back already, and must not return to the pool."""
    try:
        conn.rollback()
        conn.execute(statement, values)
        conn.commit()
    except sa.exc.SQLAlchemyError:
        conn.invalidate()


def set_scope(conn: Connection, tenant_id: str) -> None:
    """Name the tenant for this transaction; ends with it."""
    conn.execute(sa.text("select set_config('erp.tenant_id', :tenant, true)"), {"tenant": tenant_id})


def set_traceparent(conn: Connection) -> None:
    """What is written in this transaction belongs to the current trace, if there is one."""
    traceparent = tracing.traceparent()
    if traceparent:
        conn.execute(sa.text("select set_config('erp.traceparent', :traceparent, true)"), {"traceparent": traceparent})


def driver_url(url: str) -> sa.URL:
    """The url with our driver spelt out: a bare `postgresql://` means different drivers to different libraries."""
    return make_url(url).set(drivername="postgresql+psycopg")


@contextmanager
def _explained(engine: Engine) -> Iterator[None]:
    """What PostgreSQL cannot do now, in words for a person. What a statement did wrong stays what it is."""
    try:
        yield
    except StorageDown as error:
        raise database_down(engine, error) from error


CROWDED = "Raise max_connections, or lower the number of lanes and processes."
TIGHT = """Give it more, or lower its settings. Where one transaction wrote thousands of events: each holds a lock until its end, \
so write fewer at a time, or raise max_locks_per_transaction."""
# By SQLSTATE, of what the server itself says of its trouble: what happened, and the mend.
TROUBLE = {
    "53100": ("PostgreSQL's disk is full.", "Free some space: everything goes on by itself."),
    "53200": ("PostgreSQL is out of memory.", TIGHT),
    "53300": ("PostgreSQL takes no more connections.", CROWDED),
    "40001": ("Two transactions met and one had to give way.", "Nothing is to be done: it is tried again."),
    "40P01": ("Two transactions waited for each other and one had to give way.", "It is tried again by itself."),
    "55P03": ("A row stayed locked for too long.", "Look for a session that is idle in a transaction."),
    "57014": ("A statement took too long: it met a lock.", "Look for a session that is idle in a transaction."),
    "25P02": ("The transaction had failed before.", "It is tried again by itself."),
    "57P03": ("PostgreSQL is starting or stopping.", "Wait: everything goes on by itself."),
}


def database_down(engine: Engine, error: Exception) -> DatabaseDown:
    """Why the server cannot be used now, and what to do."""
    known = TROUBLE.get(getattr(getattr(error, "orig", error), "sqlstate", None) or "")
    url = engine.url
    where = f"{url.host}:{url.port or 5432} (database {url.database!r})"
    if known:
        return DatabaseDown(f"{known[0]} It is the one at {where}.", mend=known[1])
    return DatabaseDown(
        f"PostgreSQL at {where} cannot be reached.",
        mend="Start it, or correct ERP_DATABASE_URL; unset, an embedded server is used.",
    )
