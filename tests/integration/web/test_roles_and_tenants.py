from __future__ import annotations

from tests.integration.access.fakes import connect
from tests.integration.web.conftest import Api

ROLES = ("Admin", "SalesManager", "SalesRep", "Customer")
ADMIN, MANAGER, REP = 1, 2, 3
UUID = "00000000-0000-0000-0000-000000000000"
# method, path, how many of the roles may, and what one who may gets
MATRIX = [
    ("GET", "/api/integrations/connections", MANAGER, 200),
    ("GET", "/api/integrations/connections/quickbooks", MANAGER, 200),
    ("PUT", "/api/integrations/connections/quickbooks/settings", ADMIN, 404),
    ("DELETE", "/api/integrations/connections/quickbooks", ADMIN, 404),
    ("GET", "/api/integrations/quickbooks/authorize", ADMIN, 200),
    ("GET", "/api/integrations/logs", MANAGER, 200),
    ("GET", f"/api/integrations/logs/{UUID}", MANAGER, 404),
    ("GET", "/api/integrations/logs/export.csv", MANAGER, 200),
    ("GET", "/api/integrations/mappings/quickbooks/Customer", MANAGER, 200),
    ("GET", "/api/integrations/outbox", ADMIN, 200),
    ("POST", f"/api/integrations/outbox/{UUID}/retry", ADMIN, 404),
    ("GET", "/api/integrations/inbox", ADMIN, 200),
    ("PUT", "/api/commerce/customers/c1", ADMIN, 201),
    ("PUT", "/api/commerce/products/c1", ADMIN, 201),
    ("POST", "/api/commerce/orders/o1/pay", ADMIN, 404),
    ("POST", "/api/commerce/orders/o1/cancel", ADMIN, 404),
    ("GET", "/api/customers/c9/sync-status", REP, 404),
    ("GET", "/api/orders/o1/sync-status", 4, 404),
    ("GET", "/api/schemas/order", 4, 200),
]


def test_who_may_do_what(api: Api) -> None:
    for method, path, allowed, status in MATRIX:
        body = {"id": "c1", "name": "C"} if "/commerce/customers" in path or "/products" in path else None
        body = {} if path.endswith("settings") else body
        for place, role in reversed(list(enumerate(ROLES, 1))):
            answer = api.client.request(method, path, json=body, headers=api.as_(role, customer_id="c1"))
            assert answer.status_code == (status if place <= allowed else 403), (method, path, role)
        assert api.client.request(method, path, json=body).status_code == 401, (method, path)


def test_every_endpoint_but_the_open_ones_asks_for_a_token(api: Api) -> None:
    open_ones = {
        "/health/live", "/health/ready", "/metrics", "/api/integrations/quickbooks/callback",
        "/api/integrations/quickbooks/webhook",
    }  # fmt: skip
    described = api.client.get("/openapi.json").json()["paths"]
    seen = 0
    for path, methods in described.items():
        for method in methods:
            if path in open_ones or path.startswith("/console"):
                continue
            seen += 1
            answer = api.client.request(method, path.replace("{", "").replace("}", ""))
            assert answer.status_code == 401, (method, path)
    assert seen >= len(MATRIX)


def test_a_tenant_sees_and_ends_only_its_own_connection(api: Api) -> None:
    connect(api.runtime, "beta")
    assert api.get("/api/integrations/connections/quickbooks").json()["state"] == "Not Connected"
    assert "Corner Books" not in api.get("/api/integrations/connections").text
    assert api.send("DELETE", "/api/integrations/connections/quickbooks").status_code == 404
    assert api.send("PUT", "/api/integrations/connections/quickbooks/settings", {}).status_code == 404
    assert api.get("/api/integrations/connections/quickbooks", tenant="beta").json()["isConnected"]
    assert api.oauth.revoked == []


def test_the_tenant_of_every_tenant_is_no_tenant(api: Api) -> None:
    connect(api.runtime, "beta")
    for tenant in ("*", "", "acme' or '1'='1", "ACME"):
        assert api.get("/api/integrations/connections", tenant=tenant).status_code == 401
