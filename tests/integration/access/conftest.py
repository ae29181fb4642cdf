from __future__ import annotations

import pytest

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.storage.engine import Database
from tests.integration.access.fakes import FakeConnector, FakeOAuth, add_tenants, make_runtime
from tests.support.clock import FakeClock


@pytest.fixture
def oauth() -> FakeOAuth:
    return FakeOAuth()


@pytest.fixture
def runtime(database: Database, clock: FakeClock, oauth: FakeOAuth) -> Runtime:
    """Two tenants, `acme` and `beta`, and a QuickBooks in memory that nobody has connected."""
    add_tenants(database, "acme", "beta")
    return make_runtime(database, clock, FakeConnector(oauth=oauth))
