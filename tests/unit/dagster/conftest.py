"""The rooms with a delivery that only pretends (`pretended`), and an instance in memory."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from types import SimpleNamespace

import dagster as dg
import pytest

from erp_pipelines.access import health
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.delivery import alerts, bulk, due, probe, worker
from erp_pipelines.resources.runtime import resource_for
from tests.unit.dagster.pretended import QUICK, FakeDelivery


@pytest.fixture
def delivery(monkeypatch) -> FakeDelivery:
    fake = FakeDelivery()
    for module, names in ((worker, ["serve"]), (due, ["connections", "active", "count_active", "wait", "health"]),
                          (bulk, ["request", "progress"]), (alerts, ["tell", "run_failed"]), (health, ["standings"]),
                          (probe, ["probe"])):  # fmt: skip
        for name in names:
            monkeypatch.setattr(module, name, getattr(fake, name))
    return fake


@pytest.fixture
def runtime(delivery) -> Runtime:
    clock = SimpleNamespace(now=lambda: dt.datetime.now(dt.UTC), sleep=time.sleep)
    return Runtime(
        db=SimpleNamespace(worker=delivery.lock, is_held=lambda name: name in delivery.locks), cipher=None, connectors={}, clock=clock, public_url="",
        requests_per_minute={"quickbooks": 480},
    )  # fmt: skip


@pytest.fixture
def resource(runtime):
    return resource_for(lambda: runtime, QUICK)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral
