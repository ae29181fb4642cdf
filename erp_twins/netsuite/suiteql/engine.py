"""Answers SuiteQL queries from an account's tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from threading import Lock
from typing import Any, cast
from zoneinfo import ZoneInfo

from erp_twins.netsuite.suiteql import datetimes
from erp_twins.netsuite.suiteql.conversions import shown_model
from erp_twins.netsuite.suiteql.grammar import parse
from erp_twins.netsuite.suiteql.model import Dialect, Page, Table, unsupported
from erp_twins.netsuite.suiteql.queries import compiled
from erp_twins.netsuite.suiteql.relation import Relation
from erp_twins.netsuite.suiteql.scope import Account, Column
from erp_twins.netsuite.suiteql.store import Store
from erp_twins.netsuite.suiteql.values import DECODE, FAMILY, Type, moment_of, number_of, shown


class SuiteQL:
    """The language over one account; safe for threads. `tables` and `dialect` are asked anew for every query."""

    def __init__(
        self,
        tables: Callable[[], Mapping[str, Table]],
        dialect: Callable[[], Dialect],
        now: Callable[[], datetime],
    ) -> None:
        self._tables, self._dialect, self._now = tables, dialect, now
        self._lock = Lock()
        self._store = Store()

    def run(self, q: str, params: Sequence[str] = (), *, limit: int, offset: int) -> Page:
        """Rows `offset` to `offset + limit` of the answer. QueryRefused says what NetSuite would say."""
        query = parse(q, params)
        dialect = self._dialect()
        now = self._now().astimezone(ZoneInfo(dialect.zone)).replace(tzinfo=None)
        account = Account({name.lower(): table for name, table in self._tables().items()}, dialect, now)
        try:
            relation = compiled(query, account)
        except RecursionError as error:
            raise unsupported() from error
        with self._lock:
            self._store.load(account.used.values(), dialect.zone, account.joined)
            return self._page(relation, dialect, limit, offset)

    def _page(self, relation: Relation, dialect: Dialect, limit: int, offset: int) -> Page:
        display = partial(_display, dialect)
        sql = f"SELECT * FROM ({relation.sql})" if relation.cut else relation.sql
        found = self._store.rows(f"{sql} LIMIT {limit} OFFSET {offset}", display)
        whole = len(found) < limit and (found or not offset)
        total = offset + len(found) if whole else self._store.rows(relation.counted, display)[0][0]
        return Page([_row(relation.columns, row, dialect) for row in found], total)


def _display(dialect: Dialect, column: str, kind: str, stored: Any) -> str | None:
    """The text of BUILTIN.DF; the value itself where the account has none for it."""
    if stored is None:
        return None
    known = cast(Type, kind)
    value = stored if known == "integer" else DECODE[known](stored)
    text = dialect.display(column, value)
    return _text(stored, known, dialect) if text is None else text or None


def _row(columns: Sequence[Column], row: Sequence[Any], dialect: Dialect) -> dict[str, str]:
    """Of columns with the same name the last is kept."""
    last = {column.name: (stored, column.type) for column, stored in zip(columns, row, strict=True)}
    return {name: _text(stored, kind, dialect) for name, (stored, kind) in last.items() if stored is not None}


def _text(stored: Any, kind: Type, dialect: Dialect) -> str:
    if kind == "number":
        return shown(number_of(stored))
    if FAMILY[kind] == "datetime":
        return datetimes.to_char(moment_of(stored), shown_model(kind, dialect))
    return str(stored)
