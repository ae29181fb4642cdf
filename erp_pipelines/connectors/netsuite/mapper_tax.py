"""Sales tax of a sale: the shop has computed it, NetSuite is told so to the cent. Pure.

With SuiteTax the document overrides its tax details: one detail per taxed line, none for the others. Without it a line
takes a tax code of the account, and the amount beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from erp_pipelines.connectors.mapping import number, set_only, setting_missing
from erp_pipelines.connectors.netsuite.company import Books
from erp_pipelines.connectors.netsuite.mapper_shared import reference
from erp_pipelines.connectors.netsuite.settings import rate_codes
from erp_pipelines.domain.money import round_money
from erp_pipelines.domain.orders import ZERO, Order
from erp_pipelines.domain.parts import Part, Parts, parts_of

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
    parts: Parts
    lines: tuple[Taxed, ...]
    shipping: Taxed

    @classmethod
    def of(cls, order: Order, books: Books) -> Taxes:
        """Raises RequirementMissing for a tax without a code. A tax given for the whole order only is spread over its lines."""
        parts = parts_of(order)
        lines = (_taxed(f"line-{n}", part, order.currency, books) for n, part in enumerate(parts.lines, 1))
        return cls(books, parts, tuple(lines), _taxed("shipping", parts.shipping, order.currency, books))

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


def _taxed(place: str, part: Part, currency: str, books: Books) -> Taxed:
    if not part.tax:
        exempt = books.own.exempt_tax_code_id or books.settings.exempt_tax_code_id
        return Taxed(place, part.net, part.tax, exempt, ZERO)
    percent = _percent(part, currency, books)
    code = rate_codes(books.own).get(percent) or books.own.tax_codes.get("default") or books.settings.tax_code_id
    if not code:
        raise setting_missing(
            f"The order has {part.tax} of tax on {part.net}, and no tax code is chosen for that.",
            "taxCodes",
            f"Choose the tax code of {number(percent)} %, or one as the default, in the settings of the NetSuite connection.",
        )
    return Taxed(place, part.net, part.tax, code, percent)


def _percent(part: Part, currency: str, books: Books) -> Decimal:
    """The rate that the shop names; else the one of the settings that gives this tax; else what it comes to."""
    if part.rate is not None:
        return part.rate * PERCENT
    actual = part.tax / part.net * PERCENT if part.net else ZERO
    fitting = [rate for rate in rate_codes(books.own) if round_money(part.net * rate / PERCENT, currency) == part.tax]
    return min(fitting, key=lambda rate: abs(rate - actual), default=actual.quantize(Decimal("0.0001")))
