"""Waiting for work without asking all the time: LISTEN on the channels that commits notify."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from erp_pipelines.storage import keepalive
from erp_pipelines.storage.engine import Database, database_down

CHANNELS = ("erp_outbox", "erp_inbox")


@dataclass(frozen=True)
class Listener:
    """A session that hears of commits. Make one before looking for work: then nothing falls between."""

    conn: psycopg.Connection[tuple[object, ...]]

    def wait(self, seconds: float) -> str | None:
        """The connection key of the next notification; None when `seconds` have passed without one."""
        for notice in self.conn.notifies(timeout=max(seconds, 0), stop_after=1):
            return notice.payload
        return None


@contextmanager
def listening(db: Database) -> Iterator[Listener]:
    """A listener on a session of its own. Raises DatabaseDown."""
    url = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        conn = psycopg.connect(
            url, autocommit=True, connect_timeout=10, application_name="erp listener", **keepalive.connect_args()
        )
    except psycopg.OperationalError as error:
        raise database_down(db.engine, error) from error
    with conn:
        for channel in CHANNELS:
            conn.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
        yield Listener(conn)
