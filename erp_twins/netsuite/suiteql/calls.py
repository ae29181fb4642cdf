"""Calls: functions with rules of their own, aggregates, window functions and BUILTIN."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from erp_twins.netsuite.suiteql.conversions import (
    aligned,
    call,
    coerced,
    quoted,
    shown_model,
    text_literal,
    unified,
)
from erp_twins.netsuite.suiteql.functions import INNER
from erp_twins.netsuite.suiteql.model import unsupported
from erp_twins.netsuite.suiteql.relation import only, ordering
from erp_twins.netsuite.suiteql.scope import Value
from erp_twins.netsuite.suiteql.values import FAMILY

if TYPE_CHECKING:
    from erp_twins.netsuite.suiteql.expressions import Expressions

AGGREGATES = frozenset({"COUNT", "SUM", "AVG", "MIN", "MAX", "LISTAGG"})
_RANKS = frozenset({"ROW_NUMBER", "RANK", "DENSE_RANK"})


def function(of: Expressions, node: exp.Anonymous) -> Value:
    name = node.name.upper()
    if name in AGGREGATES - {"LISTAGG"}:
        with of.scope.ungrouped():
            return _aggregate(of, name, node.expressions)
    if name in INNER:
        raise unsupported()
    given = [of.value(argument) for argument in node.expressions]
    special = _SPECIAL.get(name)
    return special(of, given) if special else call(name, given, of.dialect)


def concatenated(of: Expressions, given: Sequence[Value]) -> Value:
    """NULL is as good as an empty text here, and the other way round."""
    if len(given) != 2:
        raise unsupported()
    left, right = (coerced(value, "text", of.dialect).sql for value in given)
    return Value(f"NULLIF(COALESCE({left}, '') || COALESCE({right}, ''), '')", "text")


def _coalesce(of: Expressions, given: Sequence[Value], *, lenient: bool = False) -> Value:
    if len(given) < 2:
        raise unsupported()
    values, kind = unified(given, of.dialect, lenient=lenient)
    return Value(f"COALESCE({_listed(values)})", kind)


def _nvl(of: Expressions, given: Sequence[Value]) -> Value:
    if len(given) != 2:
        raise unsupported()
    return _coalesce(of, given, lenient=True)


def _nvl2(of: Expressions, given: Sequence[Value]) -> Value:
    if len(given) != 3:
        raise unsupported()
    values, kind = unified(given[1:], of.dialect, lenient=True)
    return Value(f"CASE WHEN {given[0].sql} IS NOT NULL THEN {values[0].sql} ELSE {values[1].sql} END", kind)


def _nullif(of: Expressions, given: Sequence[Value]) -> Value:
    if len(given) != 2:
        raise unsupported()
    left, right = aligned(given, of.dialect)
    return Value(f"CASE WHEN {left.sql} = {right.sql} THEN NULL ELSE {given[0].sql} END", given[0].type)


def _decode(of: Expressions, given: Sequence[Value]) -> Value:
    """NULL equals NULL here; the first result says of what kind all are."""
    if len(given) < 3:
        raise unsupported()
    subject, rest = given[0], list(given[1:])
    default = [rest.pop()] if len(rest) % 2 else []
    results, kind = unified([*rest[1::2], *default], of.dialect, lenient=True)
    tests = [aligned([subject, sought], of.dialect) for sought in rest[::2]]
    cases = " ".join(f"WHEN {a.sql} IS {b.sql} THEN {one.sql}" for (a, b), one in zip(tests, results, strict=False))
    return Value(f"CASE {cases} ELSE {results[-1].sql if default else 'NULL'} END", kind)


def _extreme(name: str) -> Callable[[Expressions, Sequence[Value]], Value]:
    def made(of: Expressions, given: Sequence[Value]) -> Value:
        if len(given) < 2:
            raise unsupported()
        values, kind = unified(given, of.dialect, lenient=True)
        return Value(f"{name}({_listed(values)})", kind)

    return made


def _to_char(of: Expressions, given: Sequence[Value]) -> Value:
    """A date without a model is shown as the account shows it."""
    if len(given) == 1 and FAMILY[given[0].type] == "datetime":
        return coerced(given[0], "text", of.dialect)
    return call("TO_CHAR", given, of.dialect)


def _to_moment(name: str) -> Callable[[Expressions, Sequence[Value]], Value]:
    def made(of: Expressions, given: Sequence[Value]) -> Value:
        model = [text_literal(shown_model("date", of.dialect))] if len(given) == 1 else []
        return call(name, [*given, *model], of.dialect)

    return made


_SPECIAL: dict[str, Callable[[Expressions, Sequence[Value]], Value]] = {
    "CONCAT": concatenated,
    "COALESCE": _coalesce,
    "NVL": _nvl,
    "NVL2": _nvl2,
    "NULLIF": _nullif,
    "DECODE": _decode,
    "GREATEST": _extreme("MAX"),
    "LEAST": _extreme("MIN"),
    "TO_CHAR": _to_char,
    "TO_DATE": _to_moment("TO_DATE"),
    "TO_TIMESTAMP": _to_moment("TO_TIMESTAMP"),
}


def _listed(values: Sequence[Value]) -> str:
    return ", ".join(value.sql for value in values)


def _aggregate(of: Expressions, name: str, arguments: list[exp.Expr]) -> Value:
    """SQLite counts and finds extremes; sums and averages are exact ones of our own."""
    if name == "COUNT" and len(arguments) == 1 and isinstance(arguments[0], exp.Star):
        return Value("COUNT(*)", "integer")
    distinct = arguments[0] if arguments and isinstance(arguments[0], exp.Distinct) else None
    given = [of.value(argument) for argument in (distinct.expressions if distinct else arguments)]
    if len(given) != 1:
        raise unsupported()
    prefix = "DISTINCT " if distinct else ""
    if name in {"SUM", "AVG"}:
        return Value(f"exact_{name.lower()}({prefix}{coerced(given[0], 'number', of.dialect).sql})", "number")
    return Value(f"{name}({prefix}{given[0].sql})", "integer" if name == "COUNT" else given[0].type)


def listed(of: Expressions, node: exp.WithinGroup) -> Value:
    """LISTAGG(text, separator) WITHIN GROUP (ORDER BY one value)."""
    called, order = node.this, node.expression
    if not isinstance(called, exp.Anonymous) or called.name.upper() != "LISTAGG" or len(order.expressions) != 1:
        raise unsupported()
    if not 1 <= len(called.expressions) <= 2:
        raise unsupported()
    item = order.expressions[0]
    with of.scope.ungrouped():
        text, *rest = (coerced(of.value(argument), "text", of.dialect).sql for argument in called.expressions)
        by = of.value(item.this).sql
    return Value(f"listagg({text}, {rest[0] if rest else 'NULL'}, {by}, {int(bool(item.args.get('desc')))})", "text")


def windowed(of: Expressions, node: exp.Window) -> Value:
    """Ranks and aggregates over partitions, without frames."""
    only(node, "this", "partition_by", "order", "over")
    called = node.this
    if not isinstance(called, exp.Anonymous) or called.name.upper() not in _RANKS | AGGREGATES - {"LISTAGG"}:
        raise unsupported()
    ranks = called.name.upper() in _RANKS
    if ranks and (called.expressions or not node.args.get("order")):
        raise unsupported()
    name = called.name.upper()
    value = Value(f"{name}()", "integer") if ranks else _aggregate(of, name, called.expressions)
    return Value(f"{value.sql} OVER ({_window(of, node)})", value.type)


def _window(of: Expressions, node: exp.Window) -> str:
    partition = ", ".join(of.value(one).sql for one in node.args.get("partition_by") or [])
    order = node.args.get("order")
    items = ", ".join(ordering(item, of.value(item.this).sql) for item in order.expressions) if order else ""
    return " ".join(part for part in (partition and f"PARTITION BY {partition}", items and f"ORDER BY {items}") if part)


def builtin(of: Expressions, node: exp.Dot) -> Value:
    """BUILTIN.DF, the text that a column's value is displayed as, and BUILTIN.CF, its form in criteria."""
    called = node.expression
    if node.this.name.upper() != "BUILTIN" or not isinstance(called, exp.Anonymous) or len(called.expressions) != 1:
        raise unsupported()
    value = of.value(called.expressions[0])
    if called.name.upper() == "CF":
        return _criterion(of, value)
    if called.name.upper() != "DF" or not value.origin:
        raise unsupported()
    return Value(f"display_text({quoted(value.origin)}, {quoted(value.type)}, {value.sql})", "text")


def _criterion(of: Expressions, value: Value) -> Value:
    if value.beside is None:
        return value
    before = concatenated(of, [value.beside, text_literal(":")])
    return Value(f"CASE WHEN {value.sql} IS NOT NULL THEN {concatenated(of, [before, value]).sql} END", "text")
