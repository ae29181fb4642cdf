"""A real-shaped company's export, imported as a user would: with column maps, its files untouched."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from erp_pipelines.commerce import imports, orders, tenants
from erp_pipelines.commerce.imports import Imported
from erp_pipelines.storage.engine import Database

ROOT = Path(__file__).resolve().parents[2]
MAPS = ROOT / "tests/data/northwind-maps"
NORTHWIND = next(
    (found for up in ROOT.parents if (found := up / "shared/data/northwind").is_dir()), ROOT / "shared/data/northwind"
)

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not NORTHWIND.is_dir(), reason="the Northwind sample data is not beside the checkout"),
]


def counts(result: Imported) -> tuple[int, int, int]:
    return result.imported, result.unchanged, len(result.rejected) + len(result.lines_rejected)


def bring(db: Database) -> list[tuple[int, int, int]]:
    results = []
    for kind in ("customers", "products", "orders"):
        lines = NORTHWIND / "order_details.csv" if kind == "orders" else None
        file = NORTHWIND / f"{kind}.csv"
        results.append(counts(imports.run(db, "acme", kind, file, map_file=MAPS / f"{kind}.yaml", lines=lines)))
    return results


def events(db: Database) -> Counter[str]:
    with db.tenant("acme") as conn:
        return Counter(conn.execute(sa.text("select event_type from erp.integration_outbox")).scalars())


def scalar(db: Database, query: str) -> object:
    with db.tenant("acme") as conn:
        return conn.execute(sa.text(query)).scalar_one()


def test_all_of_northwind_comes_to_the_cent_once_and_is_paid_once(database: Database) -> None:
    with database.tenant("acme") as conn:
        tenants.add(conn, "acme", "Northwind Traders")
    assert bring(database) == [(91, 0, 0), (77, 0, 0), (830, 0, 0)]
    assert scalar(database, "select sum(total) from erp.orders") == Decimal("1330735.98")
    assert scalar(database, "select count(*) from erp.order_lines") == 2155
    told = Counter(CustomerCreated=91, ProductCreated=77, OrderCreated=830)
    assert events(database) == told

    assert bring(database) == [(0, 91, 0), (0, 77, 0), (0, 830, 0)]
    assert events(database) == told

    with database.tenant("acme") as conn:
        for order_id in conn.execute(sa.text("select id from erp.orders")).scalars().all():
            orders.pay(conn, "acme", order_id, date=dt.date(2026, 3, 2))
    assert events(database) == told + Counter(OrderPaid=830, PaymentRecorded=830)
    assert scalar(database, "select count(*) from erp.orders where payment_status = 'paid'") == 830
    assert scalar(database, "select sum(amount) from erp.payments") == Decimal("1330735.98")

    assert bring(database)[2] == (0, 830, 0)  # an import does not unpay


def test_the_details_of_an_order_are_where_they_belong(database: Database) -> None:
    with database.tenant("acme") as conn:
        tenants.add(conn, "acme", "Northwind Traders")
    bring(database)
    with database.tenant("acme") as conn:
        first = orders.get(conn, "acme", "10248").payload()
        discounted = orders.get(conn, "acme", "10250")
    assert first["customerId"] == "VINET"
    assert (first["number"], first["orderDate"], first["dueDate"]) == ("10248", "1996-07-04", "1996-08-01")
    assert (first["shipping"], first["total"]) == ({"amount": "32.38"}, "472.38")
    assert first["shipTo"]["line1"] == "59 rue de l'Abbaye"
    assert "region" not in first["shipTo"]
    assert [str(line.discount_rate) for line in discounted.lines] == ["0", "0.15", "0.15"]
