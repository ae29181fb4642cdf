from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from erp_pipelines.storage import outbox
from tests.integration.access.fakes import connect
from tests.integration.web.conftest import Api

ORDER = {
    "id": "o1", "number": "1001", "customerId": "c1", "orderDate": "2026-03-01",
    "lines": [{"product": "p1", "quantity": "2", "unitPrice": "12.50"}],
}  # fmt: skip
PATH = "/api/orders/o1/sync-status"


@pytest.fixture
def shop(api: Api) -> Api:
    """A connected tenant with one order of customer c1."""
    connect(api.runtime)
    api.send("PUT", "/api/commerce/customers/c1", {"id": "c1", "name": "Corner Shop"})
    api.send("PUT", "/api/commerce/products/p1", {"id": "p1", "name": "Tea"})
    assert api.send("PUT", "/api/commerce/orders/o1", ORDER).status_code == 201
    return api


def run(api: Api, sql: str, **values: Any) -> None:
    with api.runtime.db.tenant("acme") as conn:
        conn.execute(sa.text(sql), values)


def deliver(api: Api, changes: str) -> None:
    run(api, f"update erp.integration_deliveries set {changes} where entity_type = 'Order'")


def bind(api: Api, entity_type: str = "Order", entity_id: str = "o1", number: str | None = "INV-7") -> None:
    run(
        api,
        "insert into erp.integration_entity_mappings (tenant_id, provider, entity_type, prometheus_id, external_id,"
        " external_type, external_number, last_sync_at) values ('acme', 'quickbooks', :kind, :id, '130', 'Invoice',"
        " :number, '2026-03-02 10:00+01')",
        kind=entity_type,
        id=entity_id,
        number=number,
    )


DONE = "status = 'Completed', outcome = 'Created', processed_at = now()"
GIVEN_UP = "status = 'Abandoned', processed_at = now(), last_error = 'The item is inactive.', mend = 'Activate it.'"
FAILED = "status = 'Failed', last_error = 'The ERP did not answer.', retry_count = 1"
NOT_WANTED = "status = 'Completed', outcome = 'NotWanted', processed_at = now()"


@pytest.mark.parametrize(
    ("changes", "bound", "state", "badge"),
    [
        (None, False, "pending", "Waiting for QuickBooks"),
        (FAILED, False, "pending", "Waiting for QuickBooks"),
        (f"{FAILED}, in_doubt = true", False, "inDoubt", "Being checked with QuickBooks"),
        (DONE, True, "synced", "Synced to QuickBooks"),
        (GIVEN_UP, False, "failed", "Not synced to QuickBooks: needs attention"),
        (NOT_WANTED, False, "notSynced", "Not synced to QuickBooks"),
    ],
)
def test_what_a_customer_sees(shop: Api, changes: str | None, bound: bool, state: str, badge: str) -> None:
    if changes:
        deliver(shop, changes)
    if bound:
        bind(shop)
    body = shop.get(PATH, "Customer", customer_id="c1").json()
    assert (body["orderId"], body["paymentStatus"]) == ("o1", "unpaid")
    [one] = body["providers"]
    assert (one["provider"], one["displayName"], one["state"], one["badge"]) == (
        "quickbooks", "QuickBooks", state, badge,
    )  # fmt: skip
    assert (one["error"], one["mend"], one["documentUrl"], one["nextAttemptAt"]) == (None, None, None, None)


def test_staff_see_the_document_and_the_reason(shop: Api) -> None:
    deliver(shop, DONE)
    bind(shop)
    [one] = shop.get(PATH, "SalesRep").json()["providers"]
    assert (one["documentNumber"], one["lastSyncedAt"]) == ("INV-7", "2026-03-02T09:00:00Z")
    assert one["documentUrl"] == "https://books.example.com/9130/Invoice/130"
    run(shop, "delete from erp.integration_entity_mappings")
    api_event(shop)
    deliver_newest(shop, GIVEN_UP)
    [one] = shop.get(PATH, "SalesRep").json()["providers"]
    assert (one["state"], one["error"], one["mend"]) == ("failed", "The item is inactive.", "Activate it.")


def api_event(api: Api) -> None:
    with api.runtime.db.tenant("acme") as conn:
        outbox.emit(conn, "acme", "OrderUpdated", "Order", "o1", ORDER)


def deliver_newest(api: Api, changes: str) -> None:
    newest = "(select max(seq) from erp.integration_deliveries where entity_type = 'Order')"
    deliver(api, DONE)
    run(api, f"update erp.integration_deliveries set outcome = null, {changes} where seq = {newest}")


def test_a_failed_update_of_a_synced_order_still_shows_its_document(shop: Api) -> None:
    bind(shop)
    deliver(shop, GIVEN_UP)
    [one] = shop.get(PATH, "SalesRep").json()["providers"]
    assert (one["state"], one["documentNumber"]) == ("failed", "INV-7")


def test_a_customer_sees_only_its_own_orders(shop: Api) -> None:
    other = shop.get(PATH, "Customer", customer_id="c2")
    missing = shop.get("/api/orders/o9/sync-status", "Customer", customer_id="c2")
    assert other.status_code == missing.status_code == 404
    assert other.json()["detail"].replace("o1", "o9") == missing.json()["detail"]
    assert shop.get(PATH, "Customer", customer_id="c1").status_code == 200
    assert shop.get(PATH, "Customer").status_code == 401  # a customer's token without customer_id


def test_another_tenant_sees_nothing(shop: Api) -> None:
    for role in ("Admin", "SalesRep"):
        assert shop.get(PATH, role, tenant="beta").status_code == 404
        assert shop.get("/api/customers/c1/sync-status", role, tenant="beta").status_code == 404
    assert shop.get(PATH, "Customer", tenant="beta", customer_id="c1").status_code == 404


def test_a_customers_standing(shop: Api) -> None:
    bind(shop, "Customer", "c1", None)
    run(shop, f"update erp.integration_deliveries set {DONE} where entity_type = 'Customer'")
    body = shop.get("/api/customers/c1/sync-status", "SalesRep").json()
    assert body["customerId"] == "c1"
    assert [(one["state"], one["documentNumber"]) for one in body["providers"]] == [("synced", None)]


def test_a_host_with_tables_of_its_own_is_known_by_its_events(api: Api) -> None:
    connect(api.runtime)
    with api.runtime.db.tenant("acme") as conn:
        outbox.emit(conn, "acme", "OrderPaid", "Order", "h1", {**ORDER, "id": "h1", "paymentStatus": "paid"})
    path = "/api/orders/h1/sync-status"
    assert api.get(path, "Customer", customer_id="c1").json()["paymentStatus"] == "paid"
    assert api.get(path, "Customer", customer_id="c2").status_code == 404


def test_nothing_connected(api: Api) -> None:
    api.send("PUT", "/api/commerce/customers/c1", {"id": "c1", "name": "Corner Shop"})
    assert api.get("/api/customers/c1/sync-status", "SalesRep").json()["providers"] == []
