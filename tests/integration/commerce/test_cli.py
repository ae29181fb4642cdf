"""The commands as they are typed, against the test's database."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from erp_pipelines.cli import main
from erp_pipelines.domain.payments import PaymentStatus
from erp_pipelines.security.cipher import new_key
from tests.integration.commerce.shop import Shop, order


@pytest.fixture
def erp(database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Any:
    """Run `erp` with these words: exit code, standard output, standard error."""
    monkeypatch.setenv("ERP_DATABASE_URL", database_url)
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["erp", *words])
        with pytest.raises(SystemExit) as ended:
            main.main()
        out = capsys.readouterr()
        return int(ended.value.code or 0), out.out, out.err

    return run


def test_tenants_add(erp: Any) -> None:
    assert erp("tenants", "add", "acme", "--name", "Acme") == (0, "tenant acme added\n", "")
    assert erp("tenants", "add", "acme", "--name", "Acme") == (0, "tenant acme stands there already\n", "")
    assert erp("tenants", "add", "acme", "--name", "Other") == (
        1,
        "",
        "erp: There is a tenant 'acme' already: 'Acme'. Choose another id.\n",
    )
    assert erp("tenants", "add", "acme")[0] == 2


def test_import_says_what_it_did(erp: Any, shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("id,name\nP3,Salt\nP1\n")
    assert erp("import", "products", "p.csv", "--tenant", "acme") == (
        1,
        "imported 1 · unchanged 0 · rejected 1\n",
        (
            "line 3: The row has 1 cell, the header has 2.\n"
            "erp: not everything was taken; the rejected rows are in p.csv.rejected.csv. Correct them and import again.\n"
        ),
    )
    (tmp_path / "p.csv").write_text("id,name\nP3,Salt\n")
    assert erp("import", "products", "p.csv", "--tenant", "acme") == (0, "imported 0 · unchanged 1 · rejected 0\n", "")
    assert not (tmp_path / "p.csv.rejected.csv").exists()


def test_import_of_orders_names_the_lines_left_over(erp: Any, shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "o.csv").write_text("id,customerId,orderDate\nO1,C1,2026-03-01\n")
    (tmp_path / "l.csv").write_text("orderId,product,quantity,unitPrice\nO1,P1,1,1\nO7,P1,1,1\n,P1,1,1\n")
    (tmp_path / "m.yaml").write_text(
        "columns: {id: id, customerId: customerId, orderDate: orderDate}\n"
        "lines: {columns: {orderId: orderId, product: product, quantity: quantity, unitPrice: unitPrice}}\n"
    )
    code, out, err = erp(
        "import", "orders", "o.csv", "--tenant", "acme", "--lines", "l.csv", "--map", "m.yaml"
    )  # fmt: skip
    assert (code, out) == (1, "imported 1 · unchanged 0 · rejected 0 (and 1 order lines)\n")
    assert err.startswith(
        "note: 1 order lines belong to no order of o.csv; the first stands in line 3\n"
        "line 4 of l.csv: The line names no order.\nerp: not everything was taken;"
    )


def test_import_stops_in_one_line(erp: Any, shop: Shop) -> None:
    assert erp("import", "products", "gone.csv", "--tenant", "acme") == (
        1,
        "",
        "erp: gone.csv cannot be read: No such file or directory. Check the path.\n",
    )
    assert erp("import", "things", "gone.csv", "--tenant", "acme")[0] == 2
    assert erp("import", "products", "gone.csv")[0] == 2


def test_export(erp: Any, shop: Shop) -> None:
    code, out, _ = erp("export", "products", "--tenant", "acme", "--format", "json")
    assert (code, [row["id"] for row in json.loads(out)]) == (0, ["P1", "P2"])
    assert erp("export", "products", "--tenant", "acme")[1].startswith("id,sku,name,description,unitPrice,")
    assert erp("export", "products", "--tenant", "acme", "--format", "xml")[0] == 2


def test_orders_pay(erp: Any, shop: Shop) -> None:
    for number in range(4):
        shop.save(order(id=f"O{number}", number=str(number), status="draft" if number == 3 else "confirmed"))
    assert erp("orders", "pay", "O1", "O7", "--tenant", "acme", "--date", "2026-03-04") == (
        1,
        "paid 1 · unchanged 0 · failed 1\n",
        "erp: There is no order 'O7'.\n",
    )
    assert erp("orders", "pay", "O1", "--tenant", "acme") == (0, "paid 0 · unchanged 1 · failed 0\n", "")
    assert erp("orders", "pay", "--all-unpaid", "--tenant", "acme") == (0, "paid 2 · unchanged 0 · failed 0\n", "")
    assert shop.order("O3").payment_status is PaymentStatus.UNPAID
    assert erp("orders", "pay", "--tenant", "acme")[0] == 2
    assert erp("orders", "pay", "O1", "--tenant", "nobody")[0] == 1


def test_retention_says_what_it_ended(erp: Any, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERP_ENCRYPTION_KEYS", f"k1:{new_key()}")
    nothing = "calls scrubbed: 0 · event payloads scrubbed: 0 · events deleted: 0 · notices deleted: 0 · log entries deleted: 0\n"
    assert erp("retention") == (0, nothing, "")
    monkeypatch.setenv("ERP_KEEP_LOG_DAYS", "0")
    code, _, said = erp("retention")
    assert (code, "ERP_KEEP_LOG_DAYS" in said) == (1, True)
