"""One SELECT in SQLite's words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import ceil
from typing import TypeGuard

from sqlglot import exp

from erp_twins.netsuite.suiteql.calls import AGGREGATES
from erp_twins.netsuite.suiteql.ending import finished, numbered
from erp_twins.netsuite.suiteql.expressions import Expressions
from erp_twins.netsuite.suiteql.grammar import is_comma
from erp_twins.netsuite.suiteql.model import unsupported
from erp_twins.netsuite.suiteql.numerals import to_number
from erp_twins.netsuite.suiteql.relation import Relation, only, ordering
from erp_twins.netsuite.suiteql.scope import Column, Scope, Source, Value

_PARTS = ("expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset", "distinct")
_JOINS = frozenset({"", "INNER", "OUTER", "CROSS"})
_MIRRORED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
    exp.EQ: exp.EQ,
}


class Block:
    """A SELECT without its neighbours in a UNION. The steps follow one another as the database takes them."""

    def __init__(self, node: exp.Select, scope: Scope, query: Callable[[exp.Query, Scope], Relation]) -> None:
        only(node, *_PARTS)
        self._node, self._scope, self._query = node, scope, query
        self._expressions = Expressions(scope, query)
        self._aggregated, self._grouping = False, ""
        self._aliases: dict[str, Value] = {}

    def relation(self) -> Relation:
        source = self._filtered(self._from())
        self._group()
        outputs = list(self._outputs())
        having = self._having()
        columns = tuple(Column(name, f"c{at}", value.type, value.origin) for at, (name, value) in enumerate(outputs))
        listed = ", ".join(f"{value.sql} AS c{at}" for at, (_, value) in enumerate(outputs))
        sql = f"SELECT {'DISTINCT ' if self._distinct() else ''}{listed} {source}{self._grouping}{having}"
        plain = not self._distinct() and not self._aggregated
        counted = f"SELECT COUNT(*) {source}" if plain else ""
        return finished(self._node, sql, columns, self._order(outputs, columns), self._scope.account, counted)

    # --- FROM ----------------------------------------------------------------------------------

    def _from(self) -> str:
        start = self._node.args.get("from_")
        if start is None:
            raise unsupported()
        parts = [self._source(start.this)]
        parts += [self._join(join) for join in self._node.args.get("joins") or []]
        return " ".join(parts)

    def _source(self, node: exp.Expr) -> str:
        """Declares a table or sub-select in the scope."""
        label = self._scope.account.label()
        if node.args.get("alias"):
            only(node.args["alias"], "this")
        if isinstance(node, exp.Subquery):
            return self._derived(node, label)
        if not isinstance(node, exp.Table):
            raise unsupported()
        only(node, "this", "alias")
        name, alias = node.name.lower(), (node.alias or node.name).lower()
        if name == "dual":
            self._scope.add(Source(alias, name, label, (), is_table=True))
            return f"(SELECT 1) AS {label}"
        table = self._scope.account.table(node.name)
        columns = tuple(Column(column, column, kind, f"{name}.{column}") for column, kind in table.columns.items())
        self._scope.add(Source(alias, name, label, columns, is_table=True))
        return f'"{name}" AS {label}'

    def _derived(self, node: exp.Subquery, label: str) -> str:
        """Sub-selects see what is around the SELECT, not what stands beside them."""
        around = self._scope.parent or Scope(self._scope.account)
        relation = self._query(node, around)
        alias = node.alias.lower()
        self._scope.add(Source(alias, alias, label, relation.columns, is_table=False))
        kept = " LIMIT -1" if relation.ordered and not relation.cut else ""  # SQLite may drop an order without a limit
        return f"({relation.sql}{kept}) AS {label}"

    def _join(self, join: exp.Join) -> str:
        only(join, "this", "kind", "side", "on")
        source = self._source(join.this)
        if is_comma(join):
            return f"JOIN {source}"
        side, condition = join.side.upper(), join.args.get("on")
        if join.kind.upper() not in _JOINS or (join.kind.upper() == "CROSS") == bool(condition):
            raise unsupported()
        return f"{side} JOIN {source}" + (f" ON {self._expressions.condition(condition)}" if condition else "")

    # --- WHERE and ROWNUM ----------------------------------------------------------------------

    def _filtered(self, source: str) -> str:
        """FROM and WHERE. ROWNUM counts the rows that pass, before they are grouped or ordered."""
        where = self._node.args.get("where")
        tests = list(_conjuncts(where.this)) if where else []
        limits = [test for test in tests if _limits_rows(test)]
        kept = [self._expressions.condition(test) for test in tests if not _limits_rows(test)]
        found = f"FROM {source}" + (f" WHERE {' AND '.join(kept)}" if kept else "")
        if not limits and not _numbers_rows(self._node):
            return found
        return self._wrapped(found, min((most for test in limits if (most := _most(test)) is not None), default=-1))

    def _wrapped(self, found: str, most: int) -> str:
        """All columns of the rows found, numbered, as one source."""
        scope, label = self._scope, self._scope.account.label()
        every = [
            f'{one.label}."{column.place}" AS "{one.label}.{column.place}"'
            for one in scope.sources
            for column in one.columns
        ]
        scope.wrapped, scope.numbered = label, True
        return f"FROM (SELECT {', '.join([*every, 'row_number() OVER () AS rownum'])} {found} LIMIT {most}) AS {label}"

    # --- GROUP BY ------------------------------------------------------------------------------

    def _group(self) -> None:
        group = self._node.args.get("group")
        having = self._node.args.get("having")
        self._aggregated = bool(group or having) or any(_aggregates(node) for node in self._shown())
        if self._aggregated:
            keys = self._keys(group) if group else []
            self._scope.groups = frozenset(keys)
            self._grouping = f" GROUP BY {', '.join(keys)}" if keys else ""

    def _keys(self, group: exp.Group) -> list[str]:
        only(group, "expressions")
        keys = [self._expressions.value(one) for one in group.expressions]
        if any(key.literal is not None for key in keys):  # SQLite would take numbers for those of columns
            raise unsupported()
        return [key.sql for key in keys]

    def _shown(self) -> Iterator[exp.Expr]:
        yield from self._node.expressions
        order = self._node.args.get("order")
        if order:
            yield order

    def _having(self) -> str:
        having = self._node.args.get("having")
        return f" HAVING {self._expressions.condition(having.this)}" if having else ""

    # --- SELECT and ORDER BY -------------------------------------------------------------------

    def _outputs(self) -> Iterator[tuple[str, Value]]:
        """Names and values; what has no name is called expr1, expr2 and so on."""
        unnamed = 0
        for node in self._node.expressions:
            if node.is_star:
                yield from self._star(node)
                continue
            value = self._expressions.value(node.unalias())
            name = node.alias_or_name.lower() if isinstance(node, exp.Alias | exp.Column) else ""
            if isinstance(node, exp.Alias):
                self._aliases[name] = value
            unnamed += not name
            yield name or f"expr{unnamed}", value

    def _star(self, node: exp.Expr) -> Iterator[tuple[str, Value]]:
        alias = node.table.lower() if isinstance(node, exp.Column) else ""
        only(node if isinstance(node, exp.Star) else node.this)
        sources = [source for source in self._scope.sources if alias in {"", source.alias}]
        if not sources:
            raise unsupported()
        for source in sources:
            for column in source.columns:
                yield column.name, self._scope.of_source(source, column.name)

    def _distinct(self) -> bool:
        distinct = self._node.args.get("distinct")
        if distinct:
            only(distinct)
        return bool(distinct)

    def _order(self, outputs: Sequence[tuple[str, Value]], columns: Sequence[Column]) -> list[str]:
        order = self._node.args.get("order")
        self._scope.aliases = self._aliases
        items = order.expressions if order else []
        return [ordering(item, self._sorted_by(item.this, outputs, columns)) for item in items]

    def _sorted_by(self, node: exp.Expr, outputs: Sequence[tuple[str, Value]], columns: Sequence[Column]) -> str:
        if isinstance(node, exp.Literal):
            return numbered(node, columns)
        wanted = self._expressions.value(node)
        places = {value.sql: f"c{at}" for at, (_, value) in enumerate(outputs)}
        if wanted.sql not in places and (self._distinct() or wanted.literal is not None):
            raise unsupported()
        return places.get(wanted.sql, wanted.sql)


def _conjuncts(node: exp.Expr) -> Iterator[exp.Expr]:
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.And):
        yield from _conjuncts(node.left)
        yield from _conjuncts(node.right)
    else:
        yield node


def _is_rownum(node: exp.Expr) -> bool:
    return isinstance(node, exp.Column) and node.name.lower() == "rownum" and not node.table


def _limits_rows(test: exp.Expr) -> TypeGuard[exp.Binary]:
    return (
        isinstance(test, exp.Binary) and type(test) in _MIRRORED and (_is_rownum(test.left) or _is_rownum(test.right))
    )


def _most(test: exp.Binary) -> int | None:
    """How many rows a test of ROWNUM lets pass: the second row is only numbered 2 if the first was let through."""
    kind: type[exp.Expr] = type(test)
    bound = test.right
    if not _is_rownum(test.left):
        kind, bound = _MIRRORED[kind], test.left
    if not isinstance(bound, exp.Literal):
        raise unsupported()
    number = to_number(bound.name)
    if kind is exp.LTE:
        return max(int(number), 0)
    if kind is exp.LT:
        return max(ceil(number) - 1, 0)
    if kind is exp.EQ:
        return int(number == 1)
    passes = number < 1 if kind is exp.GT else number <= 1
    return None if passes else 0


def _here(node: exp.Expr) -> Iterator[exp.Expr]:
    """The nodes of this SELECT, without those of sub-selects."""
    return (one for one in node.walk(prune=lambda one: isinstance(one, exp.Query)) if not isinstance(one, exp.Query))


def _numbers_rows(select: exp.Select) -> bool:
    parts = [
        *select.expressions,
        *(select.args[part] for part in ("group", "having", "order") if select.args.get(part)),
    ]
    return any(_is_rownum(one) for part in parts for one in _here(part))


def _aggregates(node: exp.Expr) -> bool:
    return any(
        isinstance(one, exp.Anonymous) and one.name.upper() in AGGREGATES and not isinstance(one.parent, exp.Window)
        for one in _here(node)
    )
