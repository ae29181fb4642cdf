"""Expressions of SuiteQL in SQLite's words."""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatchmethod

from sqlglot import exp

from erp_twins.netsuite.suiteql import calls
from erp_twins.netsuite.suiteql.conditions import condition
from erp_twins.netsuite.suiteql.conversions import aligned, call, coerced, number_literal, quoted, text_literal, unified
from erp_twins.netsuite.suiteql.model import Dialect, unsupported
from erp_twins.netsuite.suiteql.relation import Relation, only
from erp_twins.netsuite.suiteql.scope import NULL, Scope, Value
from erp_twins.netsuite.suiteql.values import FAMILY, Type, text_of

_ARITHMETIC: dict[type[exp.Expr], str] = {
    exp.Add: "ADD",
    exp.Sub: "SUBTRACT",
    exp.Mul: "MULTIPLY",
    exp.Div: "DIVIDE",
}
_TRIMS = {"": ("LTRIM", "RTRIM"), "BOTH": ("LTRIM", "RTRIM"), "LEADING": ("LTRIM",), "TRAILING": ("RTRIM",)}
_TEXT_TYPES = {exp.DType.VARCHAR, exp.DType.NVARCHAR, exp.DType.CHAR, exp.DType.NCHAR, exp.DType.TEXT}
_DATE_TYPES: dict[exp.DType, Type] = {exp.DType.DATE: "date", exp.DType.TIMESTAMP: "datetime"}
_NUMBER_TYPES = {exp.DType.INT, exp.DType.DECIMAL}


class Expressions:
    """Turns the expressions of one SELECT into values; what it doesn't know is refused."""

    def __init__(self, scope: Scope, query: Callable[[exp.Query, Scope], Relation]) -> None:
        self.scope = scope
        self._query = query

    @property
    def dialect(self) -> Dialect:
        return self.scope.account.dialect

    def subquery(self, node: exp.Query) -> Relation:
        return self._query(node, self.scope)

    def condition(self, node: exp.Expr) -> str:
        return condition(self, node)

    def value(self, node: exp.Expr) -> Value:
        """Where the SELECT groups, only what it groups by, aggregates, and what is made of them."""
        groups = self.scope.groups
        if groups:
            with self.scope.ungrouped():
                free = self._made(node)
            if free.sql in groups:
                return free
        return self._made(node)

    @singledispatchmethod
    def _made(self, _node: exp.Expr) -> Value:
        raise unsupported()

    @_made.register
    def _(self, node: exp.Literal) -> Value:
        return text_literal(node.name) if node.is_string else number_literal(node.name)

    @_made.register
    def _(self, _node: exp.Null) -> Value:
        return NULL

    @_made.register
    def _(self, node: exp.Paren) -> Value:
        return self.value(node.this)

    @_made.register
    def _(self, node: exp.Column) -> Value:
        if isinstance(node.this, exp.Star):
            raise unsupported()
        if node.name.lower() == "rownum" and not node.table:
            return self.scope.row_number()
        return self.scope.column(node.name, node.table)

    @_made.register
    def _(self, node: exp.Neg) -> Value:
        value = self.value(node.this)
        if value.literal is not None and FAMILY[value.type] == "number":
            return number_literal(value.literal.removeprefix("-") if value.literal[0] == "-" else f"-{value.literal}")
        return call("NEGATE", [value], self.dialect)

    @_made.register(exp.Add)
    @_made.register(exp.Sub)
    @_made.register(exp.Mul)
    @_made.register(exp.Div)
    def _(self, node: exp.Binary) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        if "datetime" in {FAMILY[left.type], FAMILY[right.type]}:
            return self._date_arithmetic(node, left, right)
        return call(_ARITHMETIC[type(node)], [left, right], self.dialect)

    def _date_arithmetic(self, node: exp.Binary, left: Value, right: Value) -> Value:
        """A date moved by days, or the days between two."""
        if isinstance(node, exp.Sub) and FAMILY[left.type] == FAMILY[right.type]:
            return call("DAYS_BETWEEN", [left, right], self.dialect)
        if isinstance(node, exp.Add) and FAMILY[left.type] != "datetime":
            left, right = right, left
        if not isinstance(node, exp.Add | exp.Sub) or FAMILY[right.type] == "datetime":
            raise unsupported()
        moved = call("NEGATE", [right], self.dialect) if isinstance(node, exp.Sub) else right
        made = call("ADD_DAYS", [left, moved], self.dialect)
        return Value(made.sql, "date") if left.type == "date" and right.type == "integer" else made

    @_made.register
    def _(self, node: exp.DPipe) -> Value:
        return calls.concatenated(self, [self.value(node.left), self.value(node.right)])

    @_made.register
    def _(self, node: exp.Case) -> Value:
        branches = [branch.args["true"] for branch in node.args["ifs"]]
        otherwise = node.args.get("default")
        results, kind = unified(
            [self.value(result) for result in [*branches, *([otherwise] if otherwise else [])]], self.dialect
        )
        tests = [self._test(node, branch) for branch in node.args["ifs"]]
        cases = " ".join(f"WHEN {test} THEN {result.sql}" for test, result in zip(tests, results, strict=False))
        last = results[-1].sql if otherwise else "NULL"
        return Value(f"CASE {cases} ELSE {last} END", kind)

    def _test(self, case: exp.Case, branch: exp.If) -> str:
        if not case.this:
            return self.condition(branch.this)
        left, right = aligned([self.value(case.this), self.value(branch.this)], self.dialect)
        return f"{left.sql} = {right.sql}"

    @_made.register
    def _(self, node: exp.Cast) -> Value:
        """To texts of a length, to numbers of a scale, and to dates in the account's format."""
        only(node, "this", "to")
        value, to = self.value(node.this), node.args["to"]
        sizes = [self.value(size.this) for size in to.expressions]
        if to.this in _TEXT_TYPES:
            text = coerced(value, "text", self.dialect)
            return call("SUBSTR", [text, number_literal("1"), *sizes], self.dialect) if sizes else text
        if to.this in _DATE_TYPES:
            return Value(coerced(value, "datetime", self.dialect).sql, _DATE_TYPES[to.this])
        if to.this not in _NUMBER_TYPES:
            raise unsupported()
        number = coerced(value, "number", self.dialect)
        whole = to.this == exp.DType.INT or sizes
        return call("ROUND", [number, *sizes[1:]], self.dialect) if whole else number

    @_made.register
    def _(self, node: exp.Extract) -> Value:
        return call("EXTRACT", [self.value(node.expression), text_literal(node.this.name.upper())], self.dialect)

    @_made.register
    def _(self, node: exp.Trim) -> Value:
        only(node, "this", "expression", "position")
        made = self.value(node.this)
        marks = [self.value(node.expression)] if node.expression else []
        for name in _TRIMS[(node.args.get("position") or "").upper()]:
            made = call(name, [made, *marks], self.dialect)
        return made

    @_made.register
    def _(self, _node: exp.CurrentDate) -> Value:
        return self._now()

    @_made.register
    def _(self, node: exp.CurrentTimestamp) -> Value:
        if node.this:
            raise unsupported()
        return self._now()

    def _now(self) -> Value:
        return Value(quoted(text_of(self.scope.account.now)), "datetime")

    @_made.register
    def _(self, node: exp.Subquery) -> Value:
        relation = self.subquery(node)
        if len(relation.columns) != 1:
            raise unsupported()
        return Value(f"(SELECT only_value(c0) FROM ({relation.sql}))", relation.columns[0].type)

    @_made.register
    def _(self, node: exp.Dot) -> Value:
        return calls.builtin(self, node)

    @_made.register
    def _(self, node: exp.Anonymous) -> Value:
        return calls.function(self, node)

    @_made.register
    def _(self, node: exp.WithinGroup) -> Value:
        return calls.listed(self, node)

    @_made.register
    def _(self, node: exp.Window) -> Value:
        return calls.windowed(self, node)
