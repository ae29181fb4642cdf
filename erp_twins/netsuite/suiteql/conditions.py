"""Conditions of SuiteQL in SQLite's words. In Oracle they are no values, so they have a compiler of their own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache, singledispatch
from typing import TYPE_CHECKING

from sqlglot import exp

from erp_twins.netsuite.suiteql.conversions import aligned, coerced
from erp_twins.netsuite.suiteql.model import unsupported
from erp_twins.netsuite.suiteql.relation import only
from erp_twins.netsuite.suiteql.scope import Value

if TYPE_CHECKING:
    from erp_twins.netsuite.suiteql.expressions import Expressions

_SIGNS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}


def condition(of: Expressions, node: exp.Expr) -> str:
    """A test of SQLite's, with three truth values as in Oracle."""
    return _test(node, of)


@singledispatch
def _test(_node: exp.Expr, _of: Expressions) -> str:
    raise unsupported()


@_test.register(exp.Paren)
def _(node: exp.Paren, of: Expressions) -> str:
    return f"({_test(node.this, of)})"


@_test.register(exp.Not)
def _(node: exp.Not, of: Expressions) -> str:
    return f"NOT ({_test(node.this, of)})"


@_test.register(exp.And)
def _(node: exp.And, of: Expressions) -> str:
    return f"({_test(node.left, of)} AND {_test(node.right, of)})"


@_test.register(exp.Or)
def _(node: exp.Or, of: Expressions) -> str:
    return f"({_test(node.left, of)} OR {_test(node.right, of)})"


@_test.register(exp.EQ)
@_test.register(exp.NEQ)
@_test.register(exp.LT)
@_test.register(exp.LTE)
@_test.register(exp.GT)
@_test.register(exp.GTE)
def _(node: exp.Binary, of: Expressions) -> str:
    sides = [of.value(node.left), of.value(node.right)]
    if isinstance(node, exp.EQ):
        of.scope.account.note_join(*sides)
    left, right = aligned(sides, of.dialect)
    return f"{left.sql} {_SIGNS[type(node)]} {right.sql}"


@_test.register(exp.Between)
def _(node: exp.Between, of: Expressions) -> str:
    only(node, "this", "low", "high")
    asked = [of.value(node.args[part]) for part in ("this", "low", "high")]
    value, low, high = aligned(asked, of.dialect)
    return f"{value.sql} BETWEEN {low.sql} AND {high.sql}"


@_test.register(exp.Is)
def _(node: exp.Is, of: Expressions) -> str:
    if not isinstance(node.expression, exp.Null):
        raise unsupported()
    return f"{of.value(node.this).sql} IS NULL"


@_test.register(exp.Exists)
def _(node: exp.Exists, of: Expressions) -> str:
    return f"EXISTS ({of.subquery(node.this).sql})"


@_test.register(exp.In)
def _(node: exp.In, of: Expressions) -> str:
    only(node, "this", "expressions", "query")
    if node.args.get("query"):
        return _in_query(of, of.value(node.this), node.args["query"])
    value, *listed = aligned([of.value(one) for one in [node.this, *node.expressions]], of.dialect)
    return f"{value.sql} IN ({', '.join(one.sql for one in listed)})"


def _in_query(of: Expressions, value: Value, query: exp.Query) -> str:
    relation = of.subquery(query)
    if len(relation.columns) != 1:
        raise unsupported()
    left, found = aligned([value, Value("c0", relation.columns[0].type)], of.dialect)
    return f"{left.sql} IN (SELECT {found.sql} FROM ({relation.sql}))"


@_test.register(exp.Like)
def _(node: exp.Like, of: Expressions) -> str:
    return _like(of, node, [node.this, node.expression])


@_test.register(exp.Escape)
def _(node: exp.Escape, of: Expressions) -> str:
    if not isinstance(node.this, exp.Like):
        raise unsupported()
    return _like(of, node.this, [node.this.this, node.this.expression, node.expression])


def _like(of: Expressions, node: exp.Like, parts: Sequence[exp.Expr]) -> str:
    only(node, "this", "expression", "negate")
    texts = ", ".join(coerced(of.value(part), "text", of.dialect).sql for part in parts)
    return f"{'NOT ' if node.args.get('negate') else ''}like_text({texts})"


def like(text: str | None, pattern: str | None, escape: str | None = "") -> bool | None:
    """Oracle's LIKE: capitals count, and the escape sign may stand only before a wildcard or itself."""
    if text is None or pattern is None or escape is None:
        return None
    return _pattern(pattern, escape).fullmatch(text) is not None


@lru_cache(maxsize=256)
def _pattern(pattern: str, escape: str) -> re.Pattern[str]:
    made, marks = [], iter(pattern)
    for mark in marks:
        if mark == escape:
            literal = next(marks, "")
            if literal not in {"%", "_", escape}:
                raise unsupported()
            made.append(re.escape(literal))
        else:
            made.append({"%": ".*", "_": "."}.get(mark, re.escape(mark)))
    return re.compile("".join(made), re.DOTALL)
