"""The console as somebody signed in sees it, and a tenant with something on every page."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import httpx2
from fastapi.testclient import TestClient

from tests.integration.access.fakes import connect
from tests.integration.web.conftest import Api
from tests.integration.web.test_errors import INACTIVE, LOST, counted, fail
from tests.integration.web.test_sync_status import run
from tests.support.toy import ToyErp, ToySession

PAGES = (
    "/console/connections", "/console/errors", "/console/errors/quickbooks/inactive", "/console/causes", "/console/logs",
    "/console/syncs", "/console/mappings", "/console/matching", "/console/health", "/console/differences", "/console/requests",
    "/console/reconciliation",
)  # fmt: skip
ADMIN_PAGES = (
    "/console/outbox", "/console/inbox", "/console/connections/quickbooks/connect",
    "/console/connections/quickbooks/settings", "/console/connections/quickbooks/disconnect",
    "/console/setup/quickbooks/connect", "/console/setup/quickbooks/match", "/console/setup/quickbooks/map",
    "/console/setup/quickbooks/start", "/console/setup/quickbooks/preview", "/console/setup/quickbooks/on",
)  # fmt: skip


@dataclass
class Visitor:
    """A browser without scripts: keeps cookies, reads the form secret off the page it is on."""

    api: Api
    client: TestClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = TestClient(
            self.api.client.app,
            base_url="https://erp.example.com",
            raise_server_exceptions=False,
            follow_redirects=False,
        )

    def get(self, path: str) -> httpx2.Response:
        return self.client.get(path)

    def post(self, path: str, page: str = "/console/requests", **form: Any) -> httpx2.Response:
        """Send a form as `page` carries it."""
        return self.client.post(path, data={"csrf": self.csrf(page), **form})

    def csrf(self, page: str = "/console/requests") -> str:
        return csrf_in(self.get(page).text)

    def sign_in(self, role: str = "Admin", tenant: str = "acme", **claims: Any) -> httpx2.Response:
        token = self.api.as_(role, tenant, **claims)["Authorization"].removeprefix("Bearer ")
        return self.post("/console/login", "/console/login", token=token)


def csrf_in(page: str) -> str:
    return re.search(r'name="csrf" value="([0-9a-f]{64})"', page)[1]


def signed_in(api: Api, role: str = "Admin", tenant: str = "acme") -> Visitor:
    visitor = Visitor(api)
    assert visitor.sign_in(role, tenant).status_code == 303
    return visitor


def furnish(api: Api) -> None:
    """Something on every page of `acme`."""
    connect(api.runtime)
    api.runtime.connectors["quickbooks"].session = lambda _connection, lent: ToySession(ToyErp(), lent)
    for name in ("c1", "c2", "c3"):
        api.send("PUT", f"/api/commerce/customers/{name}", {"id": name, "name": f"Customer {name}"})
    fail(api, INACTIVE, "c1", "c2")
    fail(api, LOST, "c3")
    counted(api)
    run(
        api,
        "insert into erp.integration_entity_mappings (tenant_id, provider, entity_type, prometheus_id, external_id,"
        " external_type, external_number) values ('acme', 'quickbooks', 'Customer', 'c1', '77', 'Customer', 'N-77')",
    )
    run(
        api,
        "insert into erp.integration_inbox (tenant_id, provider, external_event_id, external_type, external_id,"
        " operation) values ('acme', 'quickbooks', 'e1', 'Invoice', '130', 'updated')",
    )
    run(
        api,
        "insert into erp.integration_sync_logs (tenant_id, provider, entity_type, entity_id, direction, status, cause,"
        " mend, owner, error_message, erp_request_id, attempt, delivery_id, started_at, completed_at)"
        " select 'acme', 'quickbooks', entity_type, entity_id, 'ToExternal', 'Failed', cause, mend, owner, last_error,"
        " 'req-' || entity_id, 1, id, timestamptz '2026-03-02 08:00+00', timestamptz '2026-03-02 08:00:02+00'"
        " from erp.integration_deliveries",
    )
    run(
        api,
        "insert into erp.integration_drifts (tenant_id, provider, entity_type, entity_id, field, external_id, ours,"
        " theirs, seen_at) values ('acme', 'quickbooks', 'Customer', 'c1', 'email', '77', '\"a@corner.example\"',"
        " '\"planted@corner.example\"', now())",
    )
    run(
        api,
        "insert into erp.integration_match_questions (tenant_id, provider, entity_type, entity_id, name, candidates,"
        " asked_at) values ('acme', 'quickbooks', 'Customer', 'c3', 'Customer c3',"
        ' \'[{"id": "80", "name": "The Corner Three", "reason": "similar", "likeness": 0.8}]\', now())',
    )
    api.send("POST", "/api/integrations/sync/quickbooks", {"entityType": "Customer"})
    api.send("POST", "/api/integrations/sync/quickbooks/retry-requests", {"cause": "inactive"}, role="SalesManager")
