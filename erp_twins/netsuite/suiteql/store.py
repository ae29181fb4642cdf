"""The tables that queries name, in SQLite's memory, with the functions that make it answer as Oracle does."""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from typing import Any, cast
from zoneinfo import ZoneInfo

from erp_twins.netsuite.suiteql.aggregates import Average, ListAgg, Only, Sum
from erp_twins.netsuite.suiteql.conditions import like
from erp_twins.netsuite.suiteql.functions import SCALARS
from erp_twins.netsuite.suiteql.model import Table, unsupported
from erp_twins.netsuite.suiteql.values import encoder

Display = Callable[[str, str, Any], str | None]  # of BUILTIN.DF: column, kind, stored value
_REFUSED = (ArithmeticError, ValueError)
_INDEXED = ("lastmodifieddate",)  # beside the key, as in NetSuite


class _Calls:
    """What SQLite's functions and the store tell each other. It knows no database, so that none outlives its store."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.display: Display | None = None

    def guarded(self, body: Callable[..., Any]) -> Callable[..., Any]:
        """SQLite forgets what went wrong inside of a function."""

        def call(*values: Any) -> Any:
            try:
                return body(*values)
            except Exception as error:
                self.failure = error
                raise

        return call

    def shown(self, column: str, kind: str, stored: Any) -> str | None:
        return self.display(column, kind, stored) if self.display else None

    def reason(self) -> Exception:
        """Why a statement failed: what Oracle refuses too, or a fault of the account's own code."""
        return self.failure if self.failure and not isinstance(self.failure, _REFUSED) else unsupported()


class Store:
    """Not safe for threads: the owner's lock is held around it."""

    def __init__(self) -> None:
        self._database = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._loaded: dict[str, object] = {}
        self._calls = _Calls()
        self._register()
        weakref.finalize(self, self._database.close)

    def _register(self) -> None:
        for function in (one for known in SCALARS.values() for one in known):
            self._define(function.name, function.stored)
        self._define("like_text", like)
        self._database.create_function("display_text", 3, self._calls.guarded(self._calls.shown))
        self._database.create_window_function("exact_sum", 1, Sum)
        self._database.create_window_function("exact_avg", 1, Average)
        # typeshed allows integers only
        self._database.create_aggregate("listagg", 4, cast(Any, ListAgg))
        self._database.create_aggregate("only_value", 1, cast(Any, Only))

    def _define(self, name: str, body: Callable[..., Any]) -> None:
        self._database.create_function(name, -1, self._calls.guarded(body), deterministic=True)

    def load(self, tables: Iterable[Table], zone: str, joined: Iterable[tuple[str, str]]) -> None:
        """Reads what was not read yet in its present version; `joined` are tables and columns that need an index."""
        for table in tables:
            state = (table.version, zone, tuple(table.columns.items()))
            if self._loaded.get(table.name.lower()) != state:
                self._loaded.pop(table.name.lower(), None)
                self._fill(table, ZoneInfo(zone))
                self._loaded[table.name.lower()] = state
        for name, column in joined:
            self._index(name, column)

    def _fill(self, table: Table, zone: ZoneInfo) -> None:
        name, columns = table.name.lower(), list(table.columns)
        listed = ", ".join(f'"{column}"' for column in columns)
        marks = ", ".join("?" * len(columns))
        self._database.execute("BEGIN")
        with self._database:
            self._database.execute(f'DROP TABLE IF EXISTS "{name}"')
            self._database.execute(f'CREATE TABLE "{name}" ({listed})')
            self._database.executemany(f'INSERT INTO "{name}" VALUES ({marks})', _stored(table, zone))
        for column in dict.fromkeys([table.key, *_INDEXED]):
            if column in columns:
                self._index(name, column)

    def _index(self, name: str, column: str) -> None:
        self._database.execute(f'CREATE INDEX IF NOT EXISTS "{name}.{column}" ON "{name}" ("{column}")')

    def rows(self, sql: str, display: Display) -> list[tuple[Any, ...]]:
        """The statement's rows; what SQLite or Oracle's functions will not do is refused."""
        self._calls.failure, self._calls.display = None, display
        try:
            with closing(self._database.execute(sql)) as cursor:
                return cursor.fetchall()
        except (sqlite3.Error, UnicodeError) as error:
            raise self._calls.reason() from error
        finally:
            self._calls.display = None


def _stored(table: Table, zone: ZoneInfo) -> Iterator[list[Any]]:
    encoders = [(column, encoder(kind, zone)) for column, kind in table.columns.items()]
    for row in table.rows():
        yield [None if (value := row.get(column)) is None else encode(value) for column, encode in encoders]
