from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
from fastapi.testclient import TestClient

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.storage.engine import Database
from tests.integration.access.fakes import FakeConnector, FakeOAuth, add_tenants, make_runtime
from tests.support.clock import FakeClock
from webhook_api.auth import AuthConfig
from webhook_api.main import create_app

SECRET = "made-up secret for tests, long enough to be taken"


@dataclass
class Api:
    """The app as its callers know it; `as_` names who calls."""

    client: TestClient
    runtime: Runtime
    oauth: FakeOAuth

    def as_(self, role: str, tenant: str = "acme", **claims: Any) -> dict[str, str]:
        given = {"sub": "ann", "tenant_id": tenant, "role": role, "exp": time.time() + 600, **claims}
        return {"Authorization": f"Bearer {jwt.encode(given, SECRET, 'HS256')}"}

    def get(self, path: str, role: str = "Admin", tenant: str = "acme", **claims: Any) -> Any:
        return self.client.get(path, headers=self.as_(role, tenant, **claims))

    def send(self, method: str, path: str, body: Any = None, role: str = "Admin", tenant: str = "acme") -> Any:
        return self.client.request(method, path, json=body, headers=self.as_(role, tenant))


@pytest.fixture
def api(database: Database, clock: FakeClock) -> Iterator[Api]:
    """The app over two tenants, `acme` and `beta`, and a QuickBooks in memory."""
    add_tenants(database, "acme", "beta")
    oauth = FakeOAuth()
    runtime = make_runtime(database, clock, FakeConnector(oauth=oauth))
    with TestClient(create_app(runtime, AuthConfig(secret=SECRET)), raise_server_exceptions=False) as client:
        yield Api(client, runtime, oauth)
