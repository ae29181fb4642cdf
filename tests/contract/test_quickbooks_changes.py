"""Pulling what changed in QuickBooks, where CDC falls short: more than a thousand changes, and a long silence."""

from __future__ import annotations

import pytest

from erp_pipelines.connectors.base import ExternalRef
from erp_twins.quickbooks import operations
from erp_twins.quickbooks.entities import SCHEMAS
from tests.contract.connector_suite import Puller
from tests.contract.test_connector_contract import QuickBooksWorld
from tests.contract.twin_support import REALM

MANY = 2_150  # more than two pages


@pytest.fixture
def world(server) -> QuickBooksWorld:
    return QuickBooksWorld(server.url, server.twin)


@pytest.fixture(scope="module")
def server():
    from erp_twins.serve import TwinServer

    with TwinServer(deliver=False) as started:
        yield started


def customers(world: QuickBooksWorld, count: int, prefix: str = "C") -> set[str]:
    """So many, by hand, all in one second."""
    with world.twin.lock:
        world.twin.clock.freeze()
        company = world.twin.company(REALM)
        made = [
            operations.create(company, SCHEMAS["Customer"], {"DisplayName": f"{prefix}{number}"})["Id"]
            for number in range(count)
        ]
        world.twin.clock.freeze(frozen=False)
    return {str(one) for one in made}


def names(found: set[tuple[ExternalRef, bool]]) -> set[str]:
    return {ref.external_id for ref, _ in found if ref.external_type == "Customer"}


def test_of_thousands_of_changes_in_one_second_none_is_missed(world):
    puller = Puller(world)
    made = customers(world, MANY)
    world.pass_time(600)
    assert names(puller.pull()) >= made
    world.pass_time(600)
    assert puller.pull() == set()


def test_a_quiet_pull_costs_one_call(world):
    puller = Puller(world)
    customers(world, 3)
    world.pass_time(600)
    puller.pull()
    before = world.desk.calls.reads
    puller.pull()
    assert (world.desk.calls.reads - before, dict(world.desk.calls.by_kind)) == (1, {"cdc": 2})


def test_after_a_silence_of_months_changes_are_found_by_query(world):
    puller = Puller(world)
    puller.pull()
    made = customers(world, 3)
    world.twin.clock.advance(86_400 * 60)
    world.desk.clock.advance(86_400 * 60)
    world.desk.tokens.tokens = [world.twin.connect("app-1")["access_token"]]
    late = customers(world, 2, "D")
    assert names(puller.pull()) >= made | late
    assert "customer.query" in world.desk.calls.by_kind
    world.pass_time(600)
    assert names(puller.pull()) == late  # the overlap: told again under the same stamp
    world.pass_time(600)
    assert puller.pull() == set()
