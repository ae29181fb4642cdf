"""Whatever happens to an order, in whatever order: at rest shop and books agree to the cent, or an open error says why not."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.simulation.life_cycle import OrderLifeCycle
from tests.support.erps import ERPS

# More, and others each time, is nightly work: ERP_TEST_LIVES=1000. The providers share them.
ASKED = os.environ.get("ERP_TEST_LIVES")
LIVES = int(ASKED or "30") // len(ERPS)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("provider", ERPS)
def test_an_order_s_life_ends_with_equal_books(databases, provider):
    machine = type("Lives", (OrderLifeCycle,), {"databases": databases, "provider": provider})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=LIVES,
            stateful_step_count=25,
            derandomize=ASKED is None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
