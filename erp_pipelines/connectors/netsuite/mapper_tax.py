"""Sales tax of a sale: the shop has computed it, NetSuite is told so to the cent. Pure.

With SuiteTax the document overrides its tax details: one detail per taxed line, none for the others. Without it a line
takes a tax code of the account, and the amount beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Any

from erp_pipelines.connectors.mapping import number, set_only, setting_missing
from erp_pipelines.connectors.netsuite.company import Books
from erp_pipelines.connectors.netsuite.mapper_shared import reference
from erp_pipelines.connectors.netsuite.settings import rate_codes
from erp_pipelines.domain.money import minor_unit, round_money
from erp_pipelines.domain.orders import ZERO, Order, amount_of

PERCENT = Decimal(100)


@dataclass(frozen=True)
class Taxed:
    """A line's tax: on what, how much, under which code and rate."""

    reference: str
    basis: Decimal
    amount: Decimal
    code: str | None
    rate: Decimal


@dataclass(frozen=True)
class Taxes:
    """The taxes of one completed order in one account: those of its lines, then that of shipping."""

    books: Books
    lines: tuple[Taxed, ...]
    shipping: Taxed

    @classmethod
    def of(cls, order: Order, books: Books) -> Taxes:
        """Raises RequirementMissing for a tax without a code. A tax given for the whole order only is spread over its lines."""
        amounts = [amount_of(line) for line in order.lines]
        taxes = [line.tax or ZERO for line in order.lines]
        if order.tax_total and not any(taxes) and not order.shipping.tax:
            taxes = spread(order.tax_total, amounts, minor_unit(order.currency))
        discounts = spread(order.order_discount, amounts, minor_unit(order.currency))
        bases = [amount - discount for amount, discount in zip(amounts, discounts, strict=True)]
        lines = (
            _taxed(f"line-{n}", basis, tax, order.currency, books)
            for n, (basis, tax) in enumerate(zip(bases, taxes, strict=True), 1)
        )
        shipping = _taxed("shipping", order.shipping.amount, order.shipping.tax or ZERO, order.currency, books)
        return cls(books, tuple(lines), shipping)

    def on_line(self, taxed: Taxed) -> dict[str, Any]:
        """What a line says of its tax."""
        if self.books.suite_tax:
            return {"taxDetailsReference": taxed.reference}
        told = {"tax1Amt": taxed.amount} if self.books.config.legacy_tax_amounts else {}
        return {**set_only({"taxCode": reference(taxed.code)}), **told}

    def fields(self, *, shipping_is_line: bool) -> dict[str, Any]:
        """What the document says. With SuiteTax always: else its engine adds a tax of its own."""
        if not self.books.suite_tax:
            return {} if shipping_is_line else set_only({"shippingTaxCode": reference(self.shipping.code)})
        if self.shipping.amount and not shipping_is_line:
            raise setting_missing(
                f"Shipping bears {self.shipping.amount} of tax, and SuiteTax takes a tax on lines only.",
                "shippingItemId",
                "Choose an item for shipping in the settings of the NetSuite connection: it becomes a line of the order.",
            )
        taxed = [*self.lines, *((self.shipping,) if shipping_is_line else ())]
        return {"taxDetailsOverride": True, "taxDetails": {"items": [self._detail(one) for one in taxed if one.amount]}}

    def _detail(self, taxed: Taxed) -> dict[str, Any]:
        return set_only(
            {
                "taxDetailsReference": taxed.reference,
                "taxCode": reference(taxed.code),
                "taxType": reference(self.books.own.tax_type_id),
                "taxBasis": taxed.basis,
                "taxRate": number(taxed.rate),
                "taxAmount": taxed.amount,
            }
        )


def spread(total: Decimal, weights: Sequence[Decimal], unit: Decimal) -> list[Decimal]:
    """`total` in parts by weight, in whole units and exact in sum; what rounding leaves goes to the heaviest first."""
    heavy = [abs(weight) for weight in weights]
    whole = sum(heavy, ZERO)
    if not whole:
        return [total, *(ZERO for _ in weights[1:])]
    parts = [(total * weight / whole).quantize(unit, rounding=ROUND_DOWN) for weight in heavy]
    left = int((total - sum(parts, ZERO)) / unit)
    step = unit.copy_sign(left)
    for index in sorted(range(len(parts)), key=lambda index: (-heavy[index], index))[: abs(left)]:
        parts[index] += step
    return parts


def _taxed(place: str, basis: Decimal, tax: Decimal, currency: str, books: Books) -> Taxed:
    exempt = books.own.exempt_tax_code_id or books.settings.exempt_tax_code_id
    if not tax:
        return Taxed(place, basis, tax, exempt, ZERO)
    actual = tax / basis * PERCENT if basis else ZERO
    fitting = [rate for rate in rate_codes(books.own) if round_money(basis * rate / PERCENT, currency) == tax]
    if fitting:
        rate = min(fitting, key=lambda rate: abs(rate - actual))
        return Taxed(place, basis, tax, rate_codes(books.own)[rate], rate)
    code = books.own.tax_codes.get("default") or books.settings.tax_code_id
    if not code:
        raise setting_missing(
            f"The order has {tax} of tax on {basis}, and no tax code is chosen for that.",
            "taxCodes",
            "Choose tax codes by rate, or one as the default, in the settings of the NetSuite connection.",
        )
    return Taxed(place, basis, tax, code, actual.quantize(Decimal("0.0001")))
