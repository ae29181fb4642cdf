"""A small account for SuiteQL: customers and transactions, a table that changes, and short ways to ask."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from erp_twins.netsuite.suiteql import Dialect, QueryRefused, SuiteQL, Table

NOW = datetime(2026, 11, 22, 20, 30, 15, 999_999, tzinfo=UTC)  # 12:30:15 in Los Angeles
SECONDS = "'YYYY-MM-DD HH24:MI:SS'"
UNSUPPORTED = "Search error occurred: Invalid or unsupported search."

CUSTOMERS = [
    {
        "id": 1, "entityid": "C1", "companyname": "Anna", "isinactive": False, "balance": Decimal("12.50"), "terms": 3,
        "datecreated": date(2026, 1, 31), "lastmodifieddate": datetime(2026, 3, 1, 8, 0, 0, tzinfo=UTC),
    },
    {
        "id": 2, "entityid": "C2", "companyname": "bert", "isinactive": True, "balance": Decimal("-0.10"), "terms": None,
        "datecreated": date(2026, 2, 1), "lastmodifieddate": datetime(2026, 3, 1, 9, 0, 0, tzinfo=UTC),
    },
    {
        "id": 3, "entityid": "C3", "companyname": "", "isinactive": False, "terms": 3,
        "datecreated": date(2026, 2, 2), "lastmodifieddate": datetime(2026, 3, 1, 9, 0, 0, tzinfo=UTC),
    },
    {
        "id": 10, "entityid": "C10", "companyname": "Anna", "isinactive": False, "balance": Decimal("0.20"), "terms": 4,
        "datecreated": date(2026, 12, 24), "lastmodifieddate": datetime(2026, 3, 1, 10, 0, 0, tzinfo=UTC),
    },
]  # fmt: skip
TRANSACTIONS = [
    {"id": 100, "type": "SalesOrd", "status": "B", "entity": 1, "total": Decimal("10.10")},
    {"id": 101, "type": "CustInvc", "status": "A", "entity": 1, "total": Decimal("0.10")},
    {"id": 102, "type": "CustInvc", "status": "B", "entity": 2, "total": Decimal("0.20")},
    {"id": 103, "type": "CustPymt", "status": None, "entity": 10, "total": Decimal(7)},
]


def tables() -> dict[str, Table]:
    return {
        "customer": Table(
            "customer",
            {
                "id": "integer", "entityid": "text", "companyname": "text", "isinactive": "boolean",
                "balance": "number", "terms": "integer", "datecreated": "date", "lastmodifieddate": "datetime",
            },
            lambda: CUSTOMERS,
        ),
        "transaction": Table(
            "transaction",
            {"id": "integer", "type": "text", "status": "text", "entity": "integer", "total": "number"},
            lambda: TRANSACTIONS,
        ),
    }  # fmt: skip


class Asked:
    """An account to ask. What is set here holds from the next query on."""

    def __init__(self) -> None:
        self.tables: Mapping[str, Table] = tables()
        self.dialect = Dialect()
        self.suiteql = SuiteQL(lambda: self.tables, lambda: self.dialect, lambda: NOW)

    def habits(self, **changes: Any) -> None:
        self.dialect = replace(self.dialect, **changes)

    def rows(self, q: str, *params: str) -> list[dict[str, str]]:
        return self.suiteql.run(q, params, limit=1000, offset=0).rows

    def column(self, q: str, *params: str) -> list[str | None]:
        """The values of a query's only column; None where it is NULL."""
        rows = self.rows(q, *params)
        assert all(len(row) < 2 for row in rows)
        return [next(iter(row.values()), None) for row in rows]

    def ids(self, where: str, *params: str) -> list[str | None]:
        return self.column(f"SELECT id FROM customer WHERE {where} ORDER BY id", *params)

    def one(self, expression: str, *params: str) -> str | None:
        """An expression's value, without any table."""
        (value,) = self.column(f"SELECT {expression} FROM dual", *params)
        return value

    def refusal(self, q: str, params: Sequence[str] = ()) -> QueryRefused:
        with pytest.raises(QueryRefused) as refused:
            self.suiteql.run(q, params, limit=1000, offset=0)
        return refused.value
