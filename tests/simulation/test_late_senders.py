"""A worker stands still with a record in its hands, loses its lock, and wakes up when another one has sent it.

In accounts that cannot tell a repeat from a first try: nothing there would stop the second document.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from erp_pipelines.connectors import leaving
from erp_pipelines.domain.events import EntityType
from tests.simulation.actions import People
from tests.simulation.world import World
from tests.support.erps import ERPS

SEED = 900_000
UNTOLD = {"quickbooks": "keyless", "netsuite": "own-field"}  # the habit with which a repeat makes a second one
MINUTES = 40  # in which the second worker must have come to its end: NetSuite's doubts last a quarter of an hour


@dataclass(frozen=True)
class GivesWay:
    """For `Seams`: every worker gives way wherever it can."""

    def random(self) -> float:
        return 0.0


@pytest.fixture(params=ERPS)
def world(request, databases):
    made = World(databases, SEED, request.param, UNTOLD[request.param])
    made.seams.rng = GivesWay()
    yield made
    made.close()


def run(world: World, slot: int, until: str = "") -> bool:
    """A worker's steps, to its end or to the one that matches; whether it came there."""
    tenant = world.tenants[1]
    world.start_worker(slot, tenant)
    while slot in world.workers:
        world.resume_worker(slot)
        if until and re.search(until, world.trace[-1]):
            return True
    return not until


def invoices(world: World) -> int:
    return len(world.there.books(world.tenants[1].company)[EntityType.ORDER])


def stand_still_while_another_sends(world: World) -> None:
    """The first worker noted an order and did not send it; the second one has waited, looked and sent it."""
    people, tenant = People(world), world.tenants[1]
    assert run(world, 0)  # what every order needs
    people.place_order(tenant)
    assert run(world, 0, until=r"connects for (POST|PUT) (invoice|salesOrder)")
    world.end_session(0)
    for _ in range(MINUTES):
        world.clock.advance(minutes=1)
        run(world, 1)
        if invoices(world):
            return
    raise AssertionError(f"the second worker has not sent it within {MINUTES} minutes")


def wake_up(world: World) -> None:
    while 0 in world.workers:
        world.resume_worker(0)
    for _ in range(3):
        world.clock.advance(minutes=20)
        run(world, 1)


def test_what_was_noted_long_ago_does_not_come_after_all(world):
    stand_still_while_another_sends(world)
    wake_up(world)
    assert invoices(world) == 1
    assert world.there.doubles(world.tenants[1].company) == {}


def test_without_the_bound_it_would_stand_there_twice(world, monkeypatch):
    """That the test above can fail."""
    monkeypatch.setattr(leaving, "too_old", lambda _: False)
    stand_still_while_another_sends(world)
    wake_up(world)
    assert invoices(world) == 2
