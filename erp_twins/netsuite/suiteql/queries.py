"""Whole queries of SuiteQL in SQLite's words: sub-selects, UNION and its kin, and what a query may end with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from erp_twins.netsuite.suiteql.conversions import unified
from erp_twins.netsuite.suiteql.ending import finished, numbered
from erp_twins.netsuite.suiteql.model import unknown_identifier, unsupported
from erp_twins.netsuite.suiteql.relation import Relation, only, ordering
from erp_twins.netsuite.suiteql.scope import Account, Column, Scope, Value
from erp_twins.netsuite.suiteql.select import Block

_SET_OPERATORS: dict[type[exp.Expr], str] = {exp.Union: "UNION", exp.Except: "EXCEPT", exp.Intersect: "INTERSECT"}


def compiled(node: exp.Query, account: Account) -> Relation:
    """The query over the account's tables; those it names are in `account.used` then."""
    return _query(node, Scope(account))


def _query(node: exp.Query, around: Scope) -> Relation:
    if isinstance(node, exp.Subquery):
        only(node, "this", "alias")
        return _query(node.this, around)
    if isinstance(node, exp.Select):
        return Block(node, Scope(around.account, around), _query).relation()
    if type(node) in _SET_OPERATORS:
        return _set_operation(node, around)
    raise unsupported()


def _set_operation(node: exp.Query, around: Scope) -> Relation:
    only(node, "this", "expression", "distinct", "order", "limit", "offset")
    sides = [_query(node.this, around), _query(node.args["expression"], around)]
    if len({len(side.columns) for side in sides}) > 1:
        raise unsupported()
    matched = [_matched(pair, around) for pair in zip(*(side.columns for side in sides), strict=True)]
    left, right = (_projected(side, [pair[at] for pair in matched]) for at, side in enumerate(sides))
    every = "" if node.args.get("distinct") else " ALL"
    columns = tuple(
        replace(column, type=pair[0].type, origin="") for column, pair in zip(sides[0].columns, matched, strict=True)
    )
    sql = f"{left} {_SET_OPERATORS[type(node)]}{every} {right}"
    return finished(node, sql, columns, _order(node, columns), around.account)


def _matched(pair: Sequence[Column], around: Scope) -> list[Value]:
    """The same column of both sides, as values of one kind."""
    values, kind = unified([Value(column.place, column.type) for column in pair], around.account.dialect)
    return [replace(value, type=kind) for value in values]


def _projected(side: Relation, values: Sequence[Value]) -> str:
    return f"SELECT {', '.join(f'{value.sql} AS c{at}' for at, value in enumerate(values))} FROM ({side.sql})"


def _order(node: exp.Query, columns: Sequence[Column]) -> list[str]:
    """Sets are ordered by the names or numbers of their columns."""
    order = node.args.get("order")
    return [ordering(item, _place(item.this, columns)) for item in order.expressions] if order else []


def _place(node: exp.Expr, columns: Sequence[Column]) -> str:
    if isinstance(node, exp.Literal):
        return numbered(node, columns)
    if not isinstance(node, exp.Column) or node.table:
        raise unsupported()
    found = next((column for column in columns if column.name == node.name.lower()), None)
    if found is None:
        raise unknown_identifier(node.name, {})
    return found.place
