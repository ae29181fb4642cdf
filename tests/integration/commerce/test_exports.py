from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from erp_pipelines.commerce import customers, exports, imports, products, tenants
from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.errors import NotFound, RecordInvalid
from erp_pipelines.domain.products import Product
from erp_pipelines.domain.records import Address
from erp_pipelines.storage.engine import Database
from tests.integration.commerce.shop import Shop, order

RISKY = Customer(
    id="C2",
    name="=cmd|' /C calc'!A0",
    phone="+49 30 1234",
    email="@home",
    notes="-5",
    billing_address=Address(name='quote " and, comma', line1="two\nlines"),
)


def taken_out(db: Database, kind: str, form: str = "csv", tenant: str = "acme") -> str:
    stream = io.StringIO(newline="")
    exports.write(db, tenant, kind, form, stream)
    return stream.getvalue()


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_text_that_a_spreadsheet_would_run_is_disarmed(shop: Shop) -> None:
    with shop.db.tenant("acme") as conn:
        customers.save(conn, "acme", RISKY)
    row = table(taken_out(shop.db, "customers"))[1]
    assert (row["name"], row["phone"], row["email"]) == ("'=cmd|' /C calc'!A0", "'+49 30 1234", "'@home")
    assert (row["notes"], row["taxExempt"], row["shippingAddress.city"]) == ("-5", "false", "")
    assert json.loads(taken_out(shop.db, "customers", "json"))[1] == RISKY.payload()


def test_what_is_taken_out_can_be_brought_into_another_tenant(shop: Shop, tmp_path: Path) -> None:
    shop.save(order(shipping={"amount": "5", "tax": "0.4"}, shipTo={"city": "Ghent"}, orderDiscount="1"))
    shop.save(order(id="O2", number="2", lines=[{"product": "P1", "quantity": "-1", "unitPrice": "0"}]))
    with shop.db.tenant("acme") as conn:
        customers.save(conn, "acme", RISKY)
    with shop.db.tenant("twin") as conn:
        tenants.add(conn, "twin", "Twin")
    kinds = ("customers", "products", "orders", "order-lines")
    for kind in kinds:
        (tmp_path / f"{kind}.csv").write_text(taken_out(shop.db, kind), newline="")
    for kind in kinds[:3]:
        lines = tmp_path / "order-lines.csv" if kind == "orders" else None
        result = imports.run(shop.db, "twin", kind, tmp_path / f"{kind}.csv", lines=lines)
        assert (result.rejected, result.lines_rejected) == ((), ())
    for kind in kinds:
        assert taken_out(shop.db, kind, "json", "twin") == taken_out(shop.db, kind, "json")


def test_many_pages_are_one_file(shop: Shop) -> None:
    with shop.db.tenant("acme") as conn:
        for number in range(450):
            products.save(conn, "acme", Product(id=f"X{number:03}", name="x"))
    ids = [row["id"] for row in table(taken_out(shop.db, "products"))]
    assert len(ids) == len(set(ids)) == 452
    assert [row["id"] for row in json.loads(taken_out(shop.db, "products", "json"))] == ids


def test_logs_and_mappings(shop: Shop) -> None:
    assert taken_out(shop.db, "mappings", "json") == "[]\n"
    with shop.db.tenant("acme") as conn:
        conn.execute(
            sa.text(
                "insert into erp.integration_entity_mappings (tenant_id, provider, entity_type, prometheus_id, external_id,"
                " external_type, balance) values ('acme', 'quickbooks', 'Order', 'O1', '7', 'Invoice', 22.5)"
            )
        )
        conn.execute(
            sa.text(
                "insert into erp.integration_sync_logs (tenant_id, provider, entity_type, direction, status, started_at,"
                " request_payload, error_message) select 'acme', 'quickbooks', 'Order', 'ToExternal', 'Failed',"
                " '2026-03-02T09:00:00Z', '{\"secret\": 1}', '=bad ' || n from generate_series(1, 401) n"
            )
        )
    [mapping] = table(taken_out(shop.db, "mappings"))
    assert (mapping["prometheusId"], mapping["externalId"], mapping["balance"]) == ("O1", "7", "22.50000")
    text = taken_out(shop.db, "logs")
    rows = table(text)
    assert len({row["errorMessage"] for row in rows}) == 401
    assert rows[0]["errorMessage"].startswith("'=bad")
    assert rows[0]["startedAt"] == "2026-03-02T09:00:00Z"
    assert "secret" not in text


def test_a_stranger_gets_nothing(shop: Shop) -> None:
    with shop.db.tenant("other") as conn:
        tenants.add(conn, "other", "Other")
    assert taken_out(shop.db, "customers", "json", "other") == "[]\n"
    with pytest.raises(NotFound, match="erp tenants add nobody"):
        taken_out(shop.db, "customers", tenant="nobody")
    with pytest.raises(RecordInvalid, match="'customer' cannot be exported; the nearest that can is 'customers'"):
        taken_out(shop.db, "customer")
    with pytest.raises(RecordInvalid, match=r"'xml' is no format. Known are csv and json"):
        taken_out(shop.db, "customers", "xml")
