"""Whatever the order and the regime: the document comes to what the customer was charged, to the cent."""

from __future__ import annotations

from decimal import Decimal
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.money import foreign
from tests.money.regimes import BY_NAME, REGIMES, Regime
from tests.money.run import Counterpart, Result, one, run
from tests.money.till import sell

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


def test_a_payment_at_another_rate_would_be_noticed() -> None:
    counterpart = Counterpart(BY_NAME["abroad, in euros"])
    sale = sell(Random("rates"), counterpart.regime, "n1")
    document = counterpart.push(sale)
    booked = [counterpart.pay(payment, document["Id"]) for payment in foreign.payments(Random(1), sale)]
    after = counterpart.shop.company.get("Invoice", document["Id"])
    assert list(foreign.unpaid(sale, booked, after)) == []
    wrong = [{**payment, "ExchangeRate": Decimal(1), "HomeTotalAmt": payment["TotalAmt"]} for payment in booked]
    found = list(foreign.unpaid(sale, wrong, after))
    assert len(found) == len(wrong) + 1
    assert found[-1].endswith("more at home than charged")


def test_quickbooks_left_to_itself_would_be_off() -> None:
    """The twin's arithmetic is not the shop's: were it, these tests could not fail."""
    by_rate = run(next(regime for regime in REGIMES if regime.name == "abroad, several rates"), 100, seed=2)
    assert by_rate.own_off > 20
