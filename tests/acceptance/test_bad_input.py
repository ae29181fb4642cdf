"""What a person sees when something is wrong: one clear line, and nothing lost."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from erp_pipelines.storage import migrations

CUSTOMERS = "id,name,email\nc1,First Foods,first@example.com\nc2,Second\nc3,Third Foods,third@example.com\n"


@pytest.fixture
def shop(stage, tmp_path):
    """One customer and one product, saved through the real import."""
    (tmp_path / "customers.json").write_text(json.dumps([{"id": "c1", "name": "First Foods"}]))
    (tmp_path / "products.json").write_text(json.dumps([{"id": "p1", "name": "Tea", "unitPrice": "2.50"}]))
    for kind in ("customers", "products"):
        assert stage.erp("import", kind, str(tmp_path / f"{kind}.json"), "--tenant", "acme").returncode == 0
    return tmp_path


def order(**changes):
    line = {"product": "p1", "quantity": "3", "unitPrice": "2.50"}
    return {"id": "o1", "number": "o1", "customerId": "c1", "orderDate": "2026-03-01", "lines": [line]} | changes


def imported_order(stage, shop, **changes):
    (shop / "orders.json").write_text(json.dumps([order(**changes)]))
    return stage.erp("import", "orders", str(shop / "orders.json"), "--tenant", "acme")


def test_a_broken_row_is_rejected_with_its_line_and_the_good_rows_are_kept(stage, tmp_path):
    file = tmp_path / "customers.csv"
    file.write_text(CUSTOMERS)
    done = stage.erp("import", "customers", str(file), "--tenant", "acme")
    assert done.returncode == 1
    assert "imported 2 · unchanged 0 · rejected 1" in done.stdout
    rejected = (tmp_path / "customers.csv.rejected.csv").read_text()
    assert "Second" in rejected
    assert ",3," in rejected or "3," in rejected


def test_an_order_whose_parts_dont_add_up_names_the_difference(stage, shop):
    done = imported_order(stage, shop, total="9.99")
    assert done.returncode == 1
    text = (shop / "orders.json.rejected.csv").read_text()
    assert "total is 9.99, but lines + shipping - orderDiscount + taxTotal comes to 7.50: a difference of 2.49" in text


def test_an_unknown_product_is_named_with_its_line(stage, shop):
    done = imported_order(stage, shop, lines=[{"product": "p9", "quantity": "1", "unitPrice": "1"}])
    assert done.returncode == 1
    text = (shop / "orders.json.rejected.csv").read_text()
    assert "p9" in text
    assert "product" in text


def test_without_an_encryption_key_nothing_that_holds_tokens_starts(stage):
    done = stage.erp("deliver", ERP_ENCRYPTION_KEYS="")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "erp: ERP_ENCRYPTION_KEYS is not set: without a key no token can be stored. "
        "Make one with `erp keys new` and set ERP_ENCRYPTION_KEYS to what it prints.\n"
    )


def test_what_keys_new_prints_is_a_key(stage):
    made = stage.erp("keys", "new")
    assert stage.erp("deliver", ERP_ENCRYPTION_KEYS=f"{made.stdout.strip()},{stage.encryption_key}").returncode == 0


def test_a_wrong_client_secret_pauses_the_connection_and_costs_no_new_consent(stage, shop):
    stage.twin.grants.expire_access()
    runtime = stage.runtime()
    with runtime.db.tenant("acme") as conn:
        conn.execute(sa.text("update erp.integration_connections set access_token_expires_at = now()"))
    runtime.db.dispose()
    done = stage.erp("deliver", ERP_QUICKBOOKS_CLIENT_SECRET="wrong")
    assert "ERP_QUICKBOOKS_CLIENT_SECRET" in done.stderr
    assert "wrong" not in done.stderr.replace("secret is wrong", "")
    assert done.returncode == 1
    assert stage.twin.company().customers == []
    runtime = stage.runtime()
    with runtime.db.tenant("acme") as conn:
        conn.execute(sa.text("update erp.integration_connections set paused_until = null"))
    runtime.db.dispose()
    assert stage.erp("deliver").returncode == 0
    assert len(stage.twin.company().customers) == 1


def test_a_database_that_is_down_is_named_with_the_mend(stage):
    done = stage.erp("status", ERP_DATABASE_URL="postgresql://erp:hidden@127.0.0.1:1/erp")
    assert done.returncode == 1
    assert done.stderr == (
        "erp: PostgreSQL at 127.0.0.1:1 (database 'erp') cannot be reached. "
        "Start it, or correct ERP_DATABASE_URL; unset, an embedded server is used.\n"
    )


def test_a_wrong_setting_is_named(stage):
    done = stage.erp("status", ERP_API_PORT="many")
    assert done.returncode == 1
    assert done.stderr.startswith("erp: ERP_API_PORT: ")


def test_a_wrong_command_is_a_usage_error(stage):
    assert stage.erp("sync", "quickbooks", "--tenant", "acme", "--entities", "bills").returncode == 2
    assert stage.erp("nonsense").returncode == 2


def test_a_database_at_an_older_schema_is_not_touched_unasked(stage, empty_database_url):
    done = stage.erp("status", ERP_DATABASE_URL=empty_database_url)
    assert done.returncode == 1
    newest = migrations.head()
    assert done.stderr == f"erp: The database is at schema none, this program needs {newest}. Run `erp migrate`.\n"
    assert stage.erp("migrate", ERP_DATABASE_URL=empty_database_url).stdout == f"migrated from nothing to {newest}\n"


def test_a_key_ring_that_lost_its_key_pauses_the_connection_and_goes_on_when_it_is_back(stage, shop):
    other = stage.erp("keys", "new").stdout.strip()
    done = stage.erp("deliver", ERP_ENCRYPTION_KEYS=other)
    assert "ERP_ENCRYPTION_KEYS" in done.stderr
    assert stage.twin.company().customers == []
    runtime = stage.runtime()
    with runtime.db.tenant("acme") as conn:
        states = conn.execute(sa.text("select distinct status, retry_count from erp.integration_deliveries")).all()
        conn.execute(sa.text("update erp.integration_connections set paused_until = null"))
    runtime.db.dispose()
    assert [tuple(state) for state in states] == [("Pending", 0)]
    assert stage.erp("deliver").returncode == 0
    assert len(stage.twin.company().customers) == 1
