"""A shop with a tax arithmetic of its own: it knows nothing of the product's, and rounds as shops do, each its own way."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from random import Random

from erp_pipelines.domain.orders import Order, OrderLine, Shipping
from tests.money.regimes import Regime

CENT, ZERO = Decimal("0.01"), Decimal(0)
POLICIES = ("each line", "each line, to even", "each rate", "each piece")
DISCOUNTS = ("0.05", "0.1", "0.15", "0.3333", "1")
DAY = dt.date(2026, 3, 1)


@dataclass(frozen=True)
class Item:
    """One line as the shop reckons: `base` is what its tax is computed from."""

    line: OrderLine
    base: Decimal
    rate: Decimal
    tax: Decimal = ZERO


@dataclass(frozen=True)
class Sale:
    """An order, and what the shop has charged: in all, and by rate. `named`: the order says the rates."""

    order: Order
    policy: str
    total: Decimal
    taxes: dict[Decimal, Decimal]
    nets: dict[Decimal, Decimal]
    named: bool
    home: Decimal | None = None  # what the total is worth at home, of an order in a foreign currency

    @property
    def tax(self) -> Decimal:
        return sum(self.taxes.values(), ZERO)


def half_up(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def sell(random: Random, regime: Regime, number: str) -> Sale:
    """A random order of up to six lines; one that would come to less than nothing is done without its returned goods."""
    policy, named = random.choice(POLICIES), random.random() < 0.5
    items = [_item(random, regime, place) for place in range(1, random.randint(1, 6) + 1)]
    percent = random.randint(1, 30) if random.random() < 0.35 else 0
    shipping = _shipping(random, regime)
    kept = [item for item in items if item.base >= 0] or [_item(random, regime, 1, quantity=Decimal(1))]
    for chosen in (items, kept):
        taxed, discount = _reckoned(chosen, shipping, percent, policy, inclusive=regime.inclusive)
        total = sum((item.base + (ZERO if regime.inclusive else item.tax) for item in taxed), ZERO)
        if total >= 0 and sum((item.base for item in chosen), ZERO) >= 0:
            break
    return _sale(random, regime, number, policy, taxed, total, discount, named=named)


def _reckoned(
    items: list[Item], shipping: Item, percent: int, policy: str, *, inclusive: bool
) -> tuple[list[Item], Decimal]:
    """Lines and shipping with their taxes, and the discount of the order that is off them."""
    amount = sum((item.base for item in items), ZERO)
    discount = half_up(amount * percent / 100) if amount > 0 else ZERO
    return _taxed([*_discounted(items, amount, discount), shipping], policy, inclusive=inclusive), discount


def _item(random: Random, regime: Regime, place: int, *, quantity: Decimal | None = None) -> Item:
    quantity = quantity or _quantity(random)
    price = (
        Decimal(random.randint(1, 50_000)) / 100
        if random.random() < 0.6
        else Decimal(random.randint(1, 9_999_999)) / 100_000
    )
    gross = half_up(quantity * price)
    kind, rate, money = random.random(), None, None
    if kind < 0.25:
        rate = Decimal(random.choice(DISCOUNTS))
    elif kind < 0.4 and gross > 0:
        money = half_up(gross * Decimal(random.randint(0, 100)) / 100)
    base = half_up(quantity * price * (1 - rate)) if rate else gross - (money or ZERO)
    line = OrderLine(
        product=f"p{place}", quantity=quantity, unit_price=price, discount_rate=rate, discount=money, amount=base
    )
    return Item(line, base, random.choice(regime.charged))


def _quantity(random: Random) -> Decimal:
    kind = random.random()
    if kind < 0.7:
        return Decimal(random.randint(1, 20))
    return Decimal(random.randint(1, 9_999)) / 1000 if kind < 0.92 else Decimal(-random.randint(1, 3))


def _shipping(random: Random, regime: Regime) -> Item:
    amount = Decimal(random.randint(1, 3_000)) / 100 if random.random() < 0.6 else ZERO
    rate = random.choice((*regime.charged, ZERO)) if amount else ZERO
    return Item(OrderLine(product="shipping", quantity=1, unit_price=amount), amount, rate)


def _discounted(items: list[Item], amount: Decimal, discount: Decimal) -> list[Item]:
    """The order's discount by the lines' amounts, each cut to whole cents; the largest line takes the rest."""
    if not discount:
        return items
    shares = [(discount * item.base / amount).quantize(CENT, ROUND_DOWN) for item in items]
    largest = max(range(len(items)), key=lambda place: items[place].base)
    shares[largest] += discount - sum(shares, ZERO)
    return [Item(item.line, item.base - share, item.rate) for item, share in zip(items, shares, strict=True)]


def _taxed(items: list[Item], policy: str, *, inclusive: bool) -> list[Item]:
    exact = [_exact(item, inclusive=inclusive) for item in items]
    if policy == "each rate":
        taxes = _by_rate(items, exact)
    elif policy == "each piece":
        taxes = [_by_piece(item, tax) for item, tax in zip(items, exact, strict=True)]
    else:
        rounding = ROUND_HALF_EVEN if policy.endswith("even") else ROUND_HALF_UP
        taxes = [tax.quantize(CENT, rounding) for tax in exact]
    return [Item(item.line, item.base, item.rate, tax) for item, tax in zip(items, taxes, strict=True)]


def _exact(item: Item, *, inclusive: bool) -> Decimal:
    return item.base * item.rate / (1 + item.rate) if inclusive else item.base * item.rate


def _by_piece(item: Item, tax: Decimal) -> Decimal:
    pieces = item.line.quantity
    return half_up(tax / pieces) * pieces if pieces == pieces.to_integral_value() else half_up(tax)


def _by_rate(items: list[Item], exact: list[Decimal]) -> list[Decimal]:
    """Rounded once for each rate; the cents go to the lines whose own rounding was off most."""
    taxes = [half_up(tax) for tax in exact]
    for rate in {item.rate for item in items}:
        places = [place for place, item in enumerate(items) if item.rate == rate]
        left = half_up(sum((exact[place] for place in places), ZERO)) - sum((taxes[place] for place in places), ZERO)
        step = CENT if left > 0 else -CENT
        for place in sorted(places, key=lambda place: (taxes[place] - exact[place]) * step)[: int(abs(left / CENT))]:
            taxes[place] += step
    return taxes


def _sale(
    random: Random,
    regime: Regime,
    number: str,
    policy: str,
    taxed: list[Item],
    total: Decimal,
    discount: Decimal,
    *,
    named: bool,
) -> Sale:
    *items, shipping = taxed
    tax = sum((item.tax for item in taxed), ZERO)
    rate = _exchange_rate(random) if regime.currency else None
    itemised = len({item.rate for item in items}) > 1 or bool(shipping.rate) or random.random() < 0.8
    order = Order(
        id=number,
        number=number,
        customer_id="c1",
        order_date=DAY,
        currency=regime.currency or "USD",
        exchange_rate=rate,
        lines=tuple(_told(item, itemised=itemised, named=named) for item in items),
        shipping=Shipping(
            amount=shipping.base,
            tax=shipping.tax if itemised and shipping.rate else None,
            tax_rate=shipping.rate if itemised and named and shipping.rate else None,
        ),
        order_discount=discount,
        prices_include_tax=regime.inclusive or None,
        tax_total=tax,
        total=total,
    )
    taxes: defaultdict[Decimal, Decimal] = defaultdict(lambda: ZERO)
    nets: defaultdict[Decimal, Decimal] = defaultdict(lambda: ZERO)
    for item in taxed:
        taxes[item.rate] += item.tax
        nets[item.rate] += item.base - (item.tax if regime.inclusive else ZERO)
    home = None if rate is None else half_up(total * rate)
    return Sale(order.completed(), policy, total, dict(taxes), dict(nets), named and itemised, home)


def _exchange_rate(random: Random) -> Decimal:
    """The home currency's price of one unit: of few decimals or many, below one and above."""
    return Decimal(random.randint(1, 4_000_000)) / Decimal(10) ** random.choice((4, 5, 6))


def _told(item: Item, *, itemised: bool, named: bool) -> OrderLine:
    if not itemised:
        return item.line
    rate = item.rate if named else None
    return item.line.model_copy(update={"tax": item.tax, "tax_rate": rate})
