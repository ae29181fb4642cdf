"""What a query is asked of, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

ColumnType = Literal["integer", "number", "text", "boolean", "date", "datetime"]


@dataclass(frozen=True)
class Table:
    """One table of an account.

    `rows` yields mappings with lower-case column names; a missing or None value is NULL. Values are int (64 bits),
    Decimal, str, bool, date and aware datetime. `version` changes whenever rows change; until then rows are kept.
    """

    name: str
    columns: Mapping[str, ColumnType]
    rows: Callable[[], Iterable[Mapping[str, Any]]]
    version: int = 0
    key: str = "id"


def plain(_column: str, _value: Any) -> str | None:
    """No column has a display text."""
    return None


@dataclass(frozen=True)
class Dialect:
    """Habits of the account that the documentation leaves open or that differ between accounts.

    `display` gives the text of BUILTIN.DF for a value of `table.column`; None says that the value speaks for itself.
    `qualified` names the columns that BUILTIN.CF shows behind the value of a second one: status 'B' as 'SalesOrd:B'.
    """

    zone: str = "America/Los_Angeles"  # date-times carry no zone and are shown and compared in this one
    date_format: str = "MM/DD/YYYY"  # of raw dates and date-times; M and D have no leading zero
    raw_times: bool = False  # whether a raw date-time shows its time at all
    display: Callable[[str, Any], str | None] = plain
    qualified: Mapping[str, str] = field(default_factory=lambda: {"transaction.status": "type"})
    hidden: frozenset[str] = frozenset()  # tables that the role may not see
    crashing: frozenset[str] = frozenset()  # `table.column` that NetSuite answers with a server error
    fetch_first: bool = True  # sources disagree whether FETCH FIRST is accepted


@dataclass(frozen=True)
class Page:
    """Rows with lower-case keys, every value a string, booleans T and F, NULL left out. `total` counts all rows."""

    rows: list[dict[str, str]]
    total: int


class QueryRefused(Exception):
    """NetSuite's refusal; `detail` stands after "Invalid search query. Detailed unprocessed description follows. "."""

    def __init__(self, detail: str, *, status: int = 400, code: str = "INVALID_PARAMETER") -> None:
        super().__init__(detail)
        self.detail, self.status, self.code = detail, status, code


def unsupported() -> QueryRefused:
    return QueryRefused("Search error occurred: Invalid or unsupported search.")


def unknown_identifier(name: str, sources: Mapping[str, str]) -> QueryRefused:
    known = ", ".join(f"{alias}={record}" for alias, record in sources.items())
    return QueryRefused(f"Search error occurred: Unknown identifier '{name}'. Available identifiers are: {{{known}}}.")


def unknown_field(name: str, record: str) -> QueryRefused:
    return QueryRefused(
        f"Search error occurred: Field '{name}' for record '{record}' was not found. Reason: REMOVED - Field is removed."
    )


def unknown_table(name: str) -> QueryRefused:
    return QueryRefused(f"Invalid search type: {name}.")


def hidden_table(name: str) -> QueryRefused:
    return QueryRefused(f"Search error occurred: Record '{name}' was not found.")


def crashed() -> QueryRefused:
    return QueryRefused("An unexpected error has occurred.", status=500, code="UNEXPECTED_ERROR")
