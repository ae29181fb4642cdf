"""The page of a month's orders beside their documents, and its file."""

from __future__ import annotations

import csv
import io

import pytest

from erp_pipelines.connectors.base import Lent
from erp_pipelines.delivery import worker
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import Rejected
from tests.integration.access.fakes import connect
from tests.integration.web.conftest import Api
from tests.integration.web.console_support import Visitor, signed_in
from tests.integration.web.test_sync_status import run
from tests.support.toy import TOY_KINDS, ToyErp, ToySession

KEY = ConnectionKey("acme", "quickbooks")
PAGE = "/console/reconciliation"
COLUMNS = [
    "order_id", "number", "order_date", "currency", "word", "ours", "theirs", "external_type", "external_id",
    "external_number", "status", "cause", "error", "mend",
]  # fmt: skip


@pytest.fixture
def month(api: Api) -> Api:
    """Three orders of March, of which one differs there, one was refused and one is no matter of the ERP's."""
    connect(api.runtime)
    erp, connector = ToyErp(), api.runtime.connectors["quickbooks"]
    connector.kinds = TOY_KINDS

    def session(_connection: object, lent: Lent) -> ToySession:
        return ToySession(erp, lent)

    connector.session = session
    api.send("PUT", "/api/integrations/connections/quickbooks/settings", {"documentsWhen": "confirmed"})
    api.send("PUT", "/api/commerce/customers/c1", {"id": "c1", "name": "Corner Shop"})
    api.send("PUT", "/api/commerce/products/p1", {"id": "p1", "name": "Green tea", "unitPrice": "12.50"})
    for number in ("1001", "=1002", "1003"):
        line = {"product": "p1", "quantity": "100", "unitPrice": "12.50"}
        order = {
            "id": number.strip("="),
            "number": number,
            "customerId": "c1",
            "orderDate": "2026-03-02",
            "lines": [line],
        }
        order |= {"status": "draft"} if number == "1003" else {}
        assert api.send("PUT", f"/api/commerce/orders/{order['id']}", order).status_code == 201
    erp.always = lambda write: _refuse(write.ref.entity_id)
    with api.runtime.db.system() as conn:
        api.runtime.clock.moment = conn.exec_driver_sql("select now() + interval '1 minute'").scalar_one()
    worker.serve(api.runtime, KEY)
    run(api, "update erp.integration_entity_mappings set total = 1300 where entity_type = 'Order'")
    return api


def _refuse(entity_id: str) -> None:
    if entity_id == "1002":
        raise Rejected("The books are <closed>.", cause="closed-period", mend="Open them.")


def test_sums_and_differences_of_a_month(month: Api) -> None:
    text = signed_in(month, "SalesManager").get(f"{PAGE}?month=2026-03").text
    for figure in (
        "<dt>Orders that belong there</dt><dd>2</dd>", "<dd>2,500.00</dd>", "<dt>Documents there</dt><dd>1</dd>",
        "<dd>1,300.00</dd>", "<dt>Difference</dt><dd>-1,200.00</dd>",
    ):  # fmt: skip
        assert figure in text, figure
    assert '<a href="/console/errors/quickbooks/closed-period">The books are &lt;closed&gt;.</a>' in text
    assert "Somebody gave it other amounts there" in text
    assert 'href="https://books.example.com/9130/Invoice/' in text
    assert "Order 1003" not in text
    assert "There is no order of that month." in signed_in(month).get(f"{PAGE}?month=2026-02").text


def test_the_file_has_every_order_and_runs_nothing(month: Api) -> None:
    answer = signed_in(month).get(f"{PAGE}/export.csv?provider=quickbooks&month=2026-03")
    assert answer.headers["content-type"].startswith("text/csv")
    assert 'filename="reconciliation-quickbooks-2026-03.csv"' in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert list(rows[0]) == COLUMNS
    assert [(row["order_id"], row["word"], row["cause"]) for row in rows] == [
        ("1001", "differs", ""), ("1002", "missing", "closed-period"), ("1003", "not wanted", ""),
    ]  # fmt: skip
    assert [row["number"] for row in rows] == ["1001", "'=1002", "1003"]
    assert (rows[0]["ours"], rows[0]["theirs"]) == ("1250.00000", "1300.00000")


def test_nothing_of_another_tenant_is_summed(month: Api) -> None:
    other = signed_in(month, tenant="beta")
    assert "Nothing is connected yet." in other.get(f"{PAGE}?month=2026-03&provider=quickbooks").text
    assert other.get(f"{PAGE}/export.csv?provider=quickbooks&month=2026-03").status_code == 404
    assert Visitor(month).get(f"{PAGE}/export.csv?provider=quickbooks&month=2026-03").status_code == 303


@pytest.mark.parametrize("given", ["month=soon", "month=2026-13", "month=2026-03&cursor=x", "month=2026-03-02"])
def test_what_is_no_month_is_refused(month: Api, given: str) -> None:
    assert signed_in(month).get(f"{PAGE}?{given}").status_code == 422


def test_a_provider_that_was_never_connected(month: Api) -> None:
    assert signed_in(month).get(f"{PAGE}?provider=netsuite").status_code == 404
