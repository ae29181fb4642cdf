"""A process that dies by SIGKILL at any boundary of a flow doubles nothing, loses nothing and leaves nothing unexplained."""

from __future__ import annotations

import pytest

from tests.killpoints.flows import FLOWS
from tests.killpoints.guards import GUARDS
from tests.killpoints.harness import enumerate_flow

# Every point is nightly work (`./dev killpoints`); a prime stride meets all kinds of boundary in the suite.
STRIDE = 53


@pytest.mark.slow
@pytest.mark.parametrize(("provider", "name"), FLOWS, ids=" ".join)
def test_dying_at_a_boundary_doubles_and_loses_nothing(server, template, provider, name):
    found = enumerate_flow(server, template, provider, name, step=STRIDE)
    assert found.broken == []
    assert len(found.points) >= 1


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_each_guard_stands_where_the_nightly_run_takes_it_out(guard):
    assert guard.places() == 1
    assert (guard.provider, guard.flow) in FLOWS
