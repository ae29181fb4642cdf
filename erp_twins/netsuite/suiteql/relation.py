"""A compiled query, and the guard against parts of a tree that nobody looked at."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from erp_twins.netsuite.suiteql.model import unsupported
from erp_twins.netsuite.suiteql.scope import Column


@dataclass(frozen=True)
class Relation:
    """A query in SQLite's words, its columns named c0, c1 and so on. `counted` is the statement that counts its rows;
    `cut` says that it ends with a limit.
    """

    sql: str
    columns: tuple[Column, ...]
    counted: str
    cut: bool = False
    ordered: bool = False


def only(node: exp.Expr, *parts: str) -> None:
    """Refuses a node that has other parts than these, so that none is passed over in silence."""
    if any(value and part not in parts for part, value in node.args.items()):
        raise unsupported()


def ordering(item: exp.Ordered, sql: str) -> str:
    """As in Oracle NULLs are larger than every value, unless the query places them."""
    only(item, "this", "desc", "nulls_first")
    direction = " DESC" if item.args.get("desc") else ""
    return f"{sql}{direction} NULLS {'FIRST' if item.args.get('nulls_first') else 'LAST'}"
