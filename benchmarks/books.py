"""The books in the twin against what the shop has saved: a customer, a product and paid orders for each company."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg

OPEN = "select count(*) from erp.integration_deliveries where status <> 'Completed'"
TAKEN_OVER = "select count(*) from erp.integration_sync_logs where outcome = 'TakenOver'"
EARLY = """
select count(*) from (
  select processed_at < lag(processed_at) over (partition by connection_id, ordering_key order by seq) as early
  from erp.integration_deliveries) d where early
"""


def count(admin: psycopg.Connection[Any], statement: str) -> int:
    row = admin.execute(statement.encode()).fetchone()
    return int(row[0]) if row else 0


def invoices(twin: Any, companies: Iterable[str]) -> list[int]:
    """How many each company has."""
    return [len(twin.company(company).invoices) for company in companies]


def compare(
    twin: Any, admin: psycopg.Connection[Any], companies: Iterable[str], orders: int, customer: str
) -> dict[str, int]:
    """All of them 0 but the second, where nothing is lost, doubled or out of order. `customer`: the name saved last."""
    ledgers = [twin.ledger(company) for company in companies]
    wanted = {"Customer": 1, "Item": 1, "Invoice": orders, "Payment": orders}
    off = [abs(number - ledger.counts.get(kind, 0)) for ledger in ledgers for kind, number in wanted.items()]
    unpaid = [one for ledger in ledgers for one in ledger.documents["Invoice"] if one["Balance"]]
    names = [one["DisplayName"] for ledger in ledgers for one in ledger.documents["Customer"]]
    return {
        "events left": count(admin, OPEN),
        "events taken over from dead workers": count(admin, TAKEN_OVER),
        "documents doubled": sum(len(ledger.doubles(kind)) for ledger in ledgers for kind in wanted),
        "documents too few or too many": sum(off),
        "invoices not paid in full": len(unpaid),
        "customers without their last name": sum(name != customer for name in names),
        "events settled before an earlier one of their entity": count(admin, EARLY),
    }
