"""Whatever the order and the regime: the document comes to what the customer was charged, to the cent."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.money.regimes import REGIMES, Regime
from tests.money.run import Counterpart, Result, one, run

BY_REGIME = pytest.mark.parametrize("regime", REGIMES, ids=lambda regime: regime.name)


@BY_REGIME
def test_a_few_hundred_orders_come_to_what_was_charged(regime: Regime) -> None:
    result = run(regime, 200, seed=1)
    assert result.wrong == []
    assert (result.cents_off, result.exact + result.explained.total()) == (0, 200)
    assert result.explained.total() <= (0 if regime.told else 10)


@BY_REGIME
def test_no_order_can_be_found_that_does_not(regime: Regime) -> None:
    counterpart = Counterpart(regime)

    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.randoms(use_true_random=False))
    def agrees(random: Random) -> None:
        result = Result(regime)
        one(counterpart, random, f"h{len(counterpart.shop.company.invoices)}", result)
        assert result.wrong == []

    agrees()


def test_quickbooks_left_to_itself_would_be_off() -> None:
    """The twin's arithmetic is not the shop's: were it, these tests could not fail."""
    by_rate = run(next(regime for regime in REGIMES if regime.name == "abroad, several rates"), 100, seed=2)
    assert by_rate.own_off > 20
