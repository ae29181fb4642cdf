"""The product and an ERP's twin in one process, with no socket between them."""

from __future__ import annotations

from collections.abc import Callable

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.connectors.http import Transport
from erp_pipelines.domain.clock import Clock
from erp_pipelines.security.cipher import Cipher, new_key
from erp_pipelines.storage.engine import Database
from tests.support.erps import StagedErp
from tests.support.stage import settings_of

API_URL = "https://erp.test"
RING = f"k1:{new_key()}"


def inside(
    there: StagedErp,
    database: Database,
    transport: Transport,
    clock: Clock,
    jitter: Callable[[], float] = lambda: 0.0,
) -> Runtime:
    """The product's parts, whose requests all go to `transport`."""
    settings = settings_of(there.environment(API_URL))
    return Runtime(
        db=database,
        cipher=Cipher.from_keys(RING),
        connectors=there.connectors(settings, there.habit, transport=transport, clock=clock),
        clock=clock,
        public_url=there.public_url,
        requests_per_minute={there.provider: 600_000.0},
        jitter=jitter,
    )
