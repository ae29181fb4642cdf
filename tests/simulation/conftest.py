from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from erp_pipelines.storage.engine import Database
from tests.simulation.world import pools
from tests.support.postgres import a_database


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """A storm logs thousands of expected failures."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)


@pytest.fixture
def databases(server, template) -> Iterator[list[Database]]:
    """A database of its own, with a pool for each simulated worker."""
    with a_database(server, template) as url, pools(url) as made:
        yield made
