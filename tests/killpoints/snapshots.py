"""The rows of a database as they stood at one moment, put back in a few milliseconds."""

from __future__ import annotations

import time
from dataclasses import dataclass

import psycopg
from psycopg import sql

_TABLES = (
    "select relname from pg_class c join pg_namespace n on n.oid = relnamespace where nspname = 'erp' and relkind = 'r'"
)
_SEQUENCES = "select sequencename, last_value from pg_sequences where schemaname = 'erp'"
_END_OTHERS = """select count(pg_terminate_backend(pid)) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()"""


@dataclass(frozen=True)
class Snapshot:
    """All rows of the schema `erp` and the positions of its sequences. `url` is a superuser's."""

    url: str
    rows: dict[str, bytes]
    sequences: dict[str, int | None]

    @classmethod
    def take(cls, url: str) -> Snapshot:
        with psycopg.connect(url) as conn:
            names = [name for (name,) in conn.execute(_TABLES)]
            return cls(url, {name: _copied(conn, name) for name in names}, dict(conn.execute(_SEQUENCES).fetchall()))

    def restore(self) -> None:
        """Put everything back. Ends all other sessions of the database first: those of a killed process may linger."""
        self._end_other_sessions()
        with psycopg.connect(self.url) as conn:
            conn.execute("set local session_replication_role = replica")  # no triggers, no order between tables
            for name, rows in self.rows.items():
                # Truncating makes new files for every table and index: many times slower than deleting some rows.
                conn.execute(sql.SQL("delete from {}").format(sql.Identifier("erp", name)))
                self._put_back(conn, name, rows)
            for name, last in self.sequences.items():
                conn.execute("select setval(%s::regclass, %s, %s)", (f"erp.{name}", last or 1, last is not None))

    def _end_other_sessions(self) -> None:
        """And wait until they are gone. PostgreSQL's own waiting looks every 100 ms only."""
        with psycopg.connect(self.url, autocommit=True) as conn:
            while conn.execute(_END_OTHERS).fetchone() != (0,):
                time.sleep(0.002)

    def _put_back(self, conn: psycopg.Connection, name: str, rows: bytes) -> None:
        into = sql.SQL("copy {} from stdin (format binary)").format(sql.Identifier("erp", name))
        with conn.cursor().copy(into) as copy:
            copy.write(rows)


def _copied(conn: psycopg.Connection, name: str) -> bytes:
    out = sql.SQL("copy {} to stdout (format binary)").format(sql.Identifier("erp", name))
    with conn.cursor().copy(out) as copy:
        return b"".join(bytes(piece) for piece in copy)
