"""Tax regimes: a company of the twin in each, what the tenant has chosen, and the rates that its shop charges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

ROUNDING, SHIPPING = "ROUNDING", "SHIPPING"  # stand for the ids of items that the company gets


@dataclass(frozen=True)
class Regime:
    """`rates` are the shop's; `codes` the company's code for each, outside the US.

    `currency`: of the customers and their orders, where it is not the company's; each order has a rate of its own.
    `told`: QuickBooks takes the shop's tax; else it computes its own, and the rounding line makes up for the difference.
    """

    name: str
    rates: tuple[str, ...]
    company: Mapping[str, Any] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    inclusive: bool = False
    currency: str = ""
    told: bool = True

    @property
    def charged(self) -> tuple[Decimal, ...]:
        return tuple(map(Decimal, self.rates))


ABROAD = {"tax_engine": "non_us", "country": "GB"}
CODES = {"0.2": "1", "0.05": "2", "0": "3"}
POUNDS = {**ABROAD, "currency": "GBP", "multicurrency": True}
COMBINED = {"0.14975": "4", "0.05": "2", "0": "3"}

REGIMES = (
    Regime("us automated", ("0.08", "0")),
    Regime(
        "us automated, recomputes",
        ("0.08", "0"),
        {"honour_tax_override": False},
        own={"roundingItemId": ROUNDING, "roundingLimit": "0.25"},
        told=False,
    ),
    Regime("us automated, prices with tax", ("0.08", "0"), inclusive=True),
    Regime("us manual", ("0.08", "0"), {"tax_engine": "us_manual"}),
    Regime("us, no sales tax", ("0",), {"tax_engine": "us_none"}),
    Regime("abroad, one rate", ("0.2",), ABROAD, {"0.2": "1", "0": "3"}),
    Regime("abroad, several rates", tuple(CODES), ABROAD, CODES),
    Regime("abroad, prices with tax", tuple(CODES), ABROAD, CODES, inclusive=True),
    Regime("abroad, two rates behind a code", tuple(COMBINED), ABROAD, COMBINED),
    Regime("abroad, exempt", ("0",), ABROAD, CODES),
    Regime("abroad, discounts off", tuple(CODES), {**ABROAD, "allow_discount": False}, CODES),
    Regime("us automated, in euros", ("0.08", "0"), {"multicurrency": True}, currency="EUR"),
    Regime("abroad, in euros", tuple(CODES), POUNDS, CODES, currency="EUR"),
    Regime("abroad, in euros with tax", tuple(CODES), POUNDS, CODES, inclusive=True, currency="EUR"),
    Regime("abroad, own shipping item", tuple(CODES), ABROAD, CODES, settings={"shipping_item_id": SHIPPING}),
)
BY_NAME = {regime.name: regime for regime in REGIMES}
