"""What a query ends with: ORDER BY, TOP, FETCH FIRST and OFFSET."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from erp_twins.netsuite.suiteql.model import unsupported
from erp_twins.netsuite.suiteql.relation import Relation, only
from erp_twins.netsuite.suiteql.scope import Account, Column


def finished(
    node: exp.Query, sql: str, columns: tuple[Column, ...], order: Sequence[str], account: Account, counted: str = ""
) -> Relation:
    """The query with its order and its limits; `counted` is a quick way to count its rows while it has no limits."""
    if order:
        sql += f" ORDER BY {', '.join(order)}"
    first, skipped = _first(node, account), _skipped(node)
    cut = first is not None or skipped is not None
    if cut:
        sql += f" LIMIT {-1 if first is None else first} OFFSET {skipped or 0}"
    quick = counted if counted and not cut else f"SELECT COUNT(*) FROM ({sql})"
    return Relation(sql, columns, quick, cut, bool(order))


def _first(node: exp.Query, account: Account) -> int | None:
    limit = node.args.get("limit")
    if limit is None:
        return None
    if isinstance(limit, exp.Limit):  # of TOP: LIMIT itself did not get past the grammar
        only(limit, "expression")
        return _whole(limit.expression)
    options = limit.args.get("limit_options")
    if not account.dialect.fetch_first or (options and (options.args.get("percent") or options.args.get("with_ties"))):
        raise unsupported()
    return _whole(limit.args.get("count")) if limit.args.get("count") else 1


def _skipped(node: exp.Query) -> int | None:
    offset = node.args.get("offset")
    return _whole(offset.expression) if offset else None


def _whole(node: exp.Expr | None) -> int:
    if not isinstance(node, exp.Literal) or not node.name.isdigit():
        raise unsupported()
    return int(node.name)


def numbered(node: exp.Literal, columns: Sequence[Column]) -> str:
    """The column that ORDER BY names by its number."""
    if node.is_string or not node.name.isdigit() or not 1 <= int(node.name) <= len(columns):
        raise unsupported()
    return columns[int(node.name) - 1].place
