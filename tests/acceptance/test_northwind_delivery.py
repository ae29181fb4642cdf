"""A real distributor's year and a half: imported by column maps, paid, delivered by the command line."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from erp_pipelines.access import connections
from tests.support.stage import MAPS, NORTHWIND, staged

pytestmark = [
    pytest.mark.shared,
    pytest.mark.slow,
    pytest.mark.skipif(not NORTHWIND.exists(), reason="the Northwind sample data are not beside the checkout"),
]
TOTAL = Decimal("1330735.98")


def imported(stage, kind, *more):
    done = stage.erp(
        "import", kind, str(NORTHWIND / f"{kind}.csv"), "--tenant", "acme", "--map", str(MAPS / f"{kind}.yaml"), *more
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.timeout(600)
def test_830_orders_become_830_invoices_closed_by_their_payments_and_a_second_pass_sends_nothing(stage):
    assert "imported 91 " in imported(stage, "customers")
    assert "imported 77 " in imported(stage, "products")
    assert "imported 830 " in imported(stage, "orders", "--lines", str(NORTHWIND / "order_details.csv"))
    assert stage.erp("orders", "pay", "--all-unpaid", "--tenant", "acme").returncode == 0
    stage.twin.calls.clear()

    delivered = stage.erp("deliver", "--until-empty", timeout=500)

    assert delivered.returncode == 0, delivered.stderr
    ledger, invoices = stage.twin.ledger(), stage.twin.company().invoices
    assert {kind: ledger.counts[kind] for kind in ("Customer", "Item", "Invoice", "Payment")} == {
        "Customer": 91, "Item": 77, "Invoice": 830, "Payment": 830,
    }  # fmt: skip
    assert [ledger.doubles(kind) for kind in ("Customer", "Item", "Invoice", "Payment")] == [[], [], [], []]
    assert sum(invoice["TotalAmt"] for invoice in invoices) == TOTAL
    assert {invoice["Balance"] for invoice in invoices} == {Decimal(0)}
    assert Counter(call.kind for call in stage.twin.calls.since()) == {"write": 91 + 77 + 830 * 2}
    first = next(invoice for invoice in invoices if invoice["DocNumber"] == "10248")
    lines = [line["SalesItemLineDetail"] for line in first["Line"] if line["DetailType"] == "SalesItemLineDetail"]
    assert [(line["Qty"], line["UnitPrice"]) for line in lines if "Qty" in line][:3] == [
        (Decimal(12), Decimal("14.00")), (Decimal(10), Decimal("9.80")), (Decimal(5), Decimal("34.80")),
    ]  # fmt: skip

    stage.twin.calls.clear()
    again = stage.erp("deliver", "--until-empty")
    assert again.returncode == 0
    assert stage.twin.calls.since() == []


@pytest.mark.timeout(600)
def test_830_orders_become_830_sales_orders_in_netsuite_and_a_second_pass_sends_nothing(database_url):
    with staged(database_url, provider="netsuite") as stage:
        runtime = stage.runtime()
        stage.connect(runtime)
        own = {
            "subsidiaryId": "1",
            "taxScheduleId": "1",
            "shipMethodId": "1",
            "document": "salesOrder",
            "concurrency": 4,
        }
        connections.change_settings(
            runtime, stage.key, {"documentsWhen": "confirmed", "providerSettings": own}, "admin"
        )
        runtime.db.dispose()
        imported(stage, "customers")
        imported(stage, "products")
        imported(stage, "orders", "--lines", str(NORTHWIND / "order_details.csv"))
        stage.twin.calls.clear()

        delivered = stage.erp("deliver", "--until-empty", timeout=500)

        assert delivered.returncode == 0, delivered.stderr
        ledger = stage.twin.ledger()
        kinds = ("customer", "nonInventorySaleItem", "salesOrder", "invoice", "customerPayment")
        assert [ledger.counts.get(kind, 0) for kind in kinds] == [91, 77, 830, 0, 0]
        assert stage.there.doubles() == {}
        assert sum(Decimal(str(order["total"])) for order in ledger.documents["salesOrder"]) == TOTAL
        made = 91 + 77 + 830
        assert Counter(call.kind for call in stage.twin.calls.since() if call.kind != "auth") == {
            "write": made, "read": made,
        }  # fmt: skip
        assert stage.twin.governance.highest["1234567"] <= 4

        stage.twin.calls.clear()
        again = stage.erp("deliver", "--until-empty")
        assert (again.returncode, stage.twin.calls.since()) == (0, [])
