"""What can happen to a PostgreSQL while it is used, done to a server of one's own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from erp_pipelines.server.postgres import EmbeddedServer, Tuning, running, wait_stopped
from erp_pipelines.storage import migrations
from erp_pipelines.storage.engine import Database

OPTIONS = {
    "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "24",
    "deadlock_timeout": "20ms", "min_wal_size": "32MB", "max_wal_size": "32MB", "shared_buffers": "16MB",
}  # fmt: skip
OURS = "application_name like 'erp%' and datname = current_database()"
PATIENCE_SECONDS = 60


class OwnServer:
    """A PostgreSQL that may be ended: on its directory, and on the same port whenever it is up again."""

    def __init__(self, directory: Path) -> None:
        self._directory, self._use = directory, ExitStack()
        self.server: EmbeddedServer
        self.start()
        database = Database.connect(self.url)
        migrations.upgrade(database)
        database.dispose()

    @property
    def url(self) -> str:
        return self.server.url("erp")

    def start(self) -> None:
        self.server = self._use.enter_context(
            running(self._directory, databases=("erp",), options=OPTIONS, _tuning=Tuning(grace=0.1))
        )

    def is_up(self) -> bool:
        try:
            return self.sql("select 1") == [(1,)]
        except psycopg.OperationalError:
            return False

    def stop(self) -> None:
        """A fast shutdown: every session ends, whatever it is in the middle of."""
        self._use.close()
        assert wait_stopped(self._directory)

    def admin(self) -> psycopg.Connection:
        """A superuser's session, which finds a place when there is none for others."""
        return psycopg.connect(self.server.admin_url("erp"), autocommit=True)

    def sql(self, statement: str) -> list[tuple[object, ...]]:
        with self.admin() as conn:
            return conn.execute(statement).fetchall()


@contextmanager
def own_server(directory: Path) -> Iterator[OwnServer]:
    own = OwnServer(directory)
    try:
        yield own
    finally:
        own.stop()


Fault = Callable[[OwnServer], None]


def restart(own: OwnServer) -> None:
    """Ended in the midst of it, away for a moment, and up again."""
    own.stop()
    time.sleep(0.5)
    own.start()


def crash(own: OwnServer) -> None:
    """A backend dies by SIGKILL: PostgreSQL drops everybody, and recovers from its log."""
    [(pid,), *_] = own.sql(f"select pid from pg_stat_activity where {OURS}") or [(0,)]
    if pid:
        os.kill(int(str(pid)), signal.SIGKILL)
    _until_up(own)


def kill_sessions(own: OwnServer) -> None:
    """The product's sessions are ended again and again, wherever they are."""
    with own.admin() as conn:
        for _ in range(15):
            conn.execute(f"select pg_terminate_backend(pid) from pg_stat_activity where {OURS}")
            time.sleep(0.07)


def take_every_place(own: OwnServer) -> None:
    """Others hold all connections for a while, and the product's own are ended, so that it must ask for new ones."""
    with ExitStack() as held, own.admin() as admin:
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                held.enter_context(psycopg.connect(own.url, application_name="stranger"))
        admin.execute(f"select pg_terminate_backend(pid) from pg_stat_activity where {OURS}")
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                held.enter_context(psycopg.connect(own.url, application_name="stranger"))
        time.sleep(1)


def deadlock(own: OwnServer) -> None:
    """A stranger takes what settlements take, in the other order, until PostgreSQL has had to end three of them."""
    before, ends = deadlocks(own), time.monotonic() + PATIENCE_SECONDS
    with own.admin() as conn:
        while deadlocks(own) < before + 3 and time.monotonic() < ends:
            with conn.transaction():
                conn.execute("set local deadlock_timeout = '5s'")  # who looks first is the victim: never the stranger
                conn.execute("lock table erp.integration_sync_logs in share row exclusive mode")
                # Meanwhile the product's settlement has updated its row and waits for the log. It looks for a
                # deadlock once, after 20 ms: there must be one by then.
                time.sleep(0.012)
                conn.execute("update erp.integration_deliveries set seq = seq where status = 'Processing'")


def deadlocks(own: OwnServer) -> int:
    own.sql("select pg_stat_force_next_flush()")
    return int(str(own.sql("select deadlocks from pg_stat_database where datname = current_database()")[0][0]))


def hold_rows(own: OwnServer) -> None:
    """A session locks every event and connection, and then sits idle in its transaction."""
    with own.admin() as conn:
        held = False
        while not held:
            with contextlib.suppress(psycopg.errors.DeadlockDetected), conn.transaction():
                conn.execute("select 1 from erp.integration_connections for update")
                conn.execute("select 1 from erp.integration_deliveries for update")
                held = True
                time.sleep(1.5)


FAULTS: dict[str, Fault] = {
    "restart": restart,
    "crash": crash,
    "sessions killed": kill_sessions,
    "no place left": take_every_place,
    "deadlocks": deadlock,
    "rows held by an idle transaction": hold_rows,
}


def _until_up(own: OwnServer) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            own.sql("select 1")
        except psycopg.OperationalError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.05)
        else:
            return


class SmallDisk:
    """A tmpfs of a few megabytes. `fill` leaves nothing free, `free` gives it back."""

    def __init__(self, place: Path, megabytes: int) -> None:
        self.place = place
        place.mkdir()
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "tmpfs", str(place)],
            check=True,
            capture_output=True,
        )

    def fill(self) -> None:
        with (self.place / "ballast").open("ab", buffering=0) as ballast, contextlib.suppress(OSError):
            while True:
                ballast.write(bytes(4096))

    def free(self) -> None:
        (self.place / "ballast").unlink(missing_ok=True)

    def close(self) -> None:
        subprocess.run(["umount", "-l", str(self.place)], check=False, capture_output=True)
