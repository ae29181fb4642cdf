"""What the names of a query mean: its sources, their columns, and the queries around it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from erp_twins.netsuite.suiteql.model import (
    Dialect,
    Table,
    crashed,
    hidden_table,
    unknown_field,
    unknown_identifier,
    unknown_table,
    unsupported,
)
from erp_twins.netsuite.suiteql.values import Type


@dataclass(frozen=True)
class Value:
    """An expression in SQLite's words. `literal` is the text or number written in the query; `origin` the `table.column`
    that it shows unchanged, and `beside` the second value that BUILTIN.CF shows before it.
    """

    sql: str
    type: Type
    literal: str | None = None
    origin: str = ""
    beside: Value | None = None


_T = TypeVar("_T")
NULL = Value("NULL", "null")


@dataclass(frozen=True)
class Column:
    """A column of a source. `place` is its name in SQLite."""

    name: str
    place: str
    type: Type
    origin: str = ""


@dataclass(frozen=True)
class Source:
    """A table or sub-select of a FROM. `alias` is the query's name for it, if it has one, and `label` SQLite's."""

    alias: str
    record: str
    label: str
    columns: tuple[Column, ...]
    is_table: bool


@dataclass
class Account:
    """What all parts of one query share."""

    tables: Mapping[str, Table]
    dialect: Dialect
    now: datetime
    used: dict[str, Table] = field(default_factory=dict)
    joined: set[tuple[str, str]] = field(default_factory=set)  # table and column; an index helps these
    labels: Iterator[int] = field(default_factory=itertools.count)

    def table(self, written: str) -> Table:
        name = written.lower()
        if name in self.dialect.hidden:
            raise hidden_table(written)
        if name not in self.tables:
            raise unknown_table(written)
        return self.used.setdefault(name, self.tables[name])

    def note_join(self, left: Value, right: Value) -> None:
        """Two columns that must be equal: for each row of the one the other is searched."""
        if left.origin and right.origin:
            self.joined |= {_split(left.origin), _split(right.origin)}

    def label(self) -> str:
        return f"s{next(self.labels)}"


@dataclass
class Scope:
    """The names of one SELECT; those it doesn't know belong to the one around it.

    `wrapped` is SQLite's name for all sources together once rows are numbered; `numbered` allows ROWNUM. With `groups`
    set, only these expressions may be used outside of aggregates. `aliases` are those of the SELECT list, for ORDER BY.
    """

    account: Account
    parent: Scope | None = None
    sources: list[Source] = field(default_factory=list)
    wrapped: str = ""
    numbered: bool = False
    groups: frozenset[str] | None = None
    aliases: Mapping[str, Value] = field(default_factory=dict)

    def add(self, source: Source) -> None:
        if source.alias and self.source(source.alias):
            raise unsupported()
        self.sources.append(source)

    @contextmanager
    def ungrouped(self) -> Iterator[None]:
        """Inside an aggregate, or of an expression that is grouped by, every column may be used."""
        groups, self.groups = self.groups, None
        try:
            yield
        finally:
            self.groups = groups

    def column(self, written: str, qualifier: str = "") -> Value:
        name, scope = written.lower(), self
        if not qualifier and name in self.aliases:
            return self.aliases[name]
        while True:
            if qualifier and (source := scope.source(qualifier.lower())):
                return scope.of_source(source, written)
            if not qualifier and (holders := scope.holders(name)):
                return scope.of_source(_single(holders), written)
            if scope.parent is None:
                raise unknown_identifier(qualifier or written, self.identifiers())
            scope = scope.parent

    def source(self, alias: str) -> Source | None:
        return next((source for source in self.sources if source.alias == alias), None)

    def holders(self, name: str) -> list[Source]:
        return [source for source in self.sources if any(column.name == name for column in source.columns)]

    def of_source(self, source: Source, written: str) -> Value:
        found = [column for column in source.columns if column.name == written.lower()]
        if not found:
            raise (
                unknown_field(written, source.record)
                if source.is_table
                else unknown_identifier(written, self.identifiers())
            )
        value = self.value(source, _single(found))
        if self.groups is not None and value.sql not in self.groups:
            raise unsupported()
        return value

    def value(self, source: Source, column: Column) -> Value:
        if column.origin in self.account.dialect.crashing:
            raise crashed()
        beside = self._beside(source, column)
        return Value(self._place(source, column), column.type, origin=column.origin, beside=beside)

    def _beside(self, source: Source, column: Column) -> Value | None:
        wanted = self.account.dialect.qualified.get(column.origin) if source.is_table else None
        return next((Value(self._place(source, one), one.type) for one in source.columns if one.name == wanted), None)

    def _place(self, source: Source, column: Column) -> str:
        return f'{self.wrapped}."{source.label}.{column.place}"' if self.wrapped else f'{source.label}."{column.place}"'

    def row_number(self) -> Value:
        if not self.numbered or self.groups is not None:
            raise unsupported()
        return Value(f'{self.wrapped}."rownum"', "integer")

    def identifiers(self) -> dict[str, str]:
        """Aliases and records of this SELECT, as NetSuite's refusals list them."""
        return {source.alias: source.record for source in self.sources if source.alias}


def _split(origin: str) -> tuple[str, str]:
    table, _, column = origin.partition(".")
    return table, column


def _single(found: list[_T]) -> _T:
    if len(found) > 1:  # ambiguous
        raise unsupported()
    return found[0]
