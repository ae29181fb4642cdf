"""Sales tax of a document: the shop has computed it, QuickBooks is told so. Pure.

In the US a line takes TAX or NON and `TotalTax` overrides the automated engine, zero included. Elsewhere a line takes
the company's own code for its rate, and the amount of each rate behind the codes is set, so that QuickBooks' rounding
(once per rate, on the summed net) cannot differ from the shop's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from erp_pipelines.connectors.mapping import setting_missing
from erp_pipelines.connectors.quickbooks.company import Books
from erp_pipelines.connectors.quickbooks.mapper_shared import reference
from erp_pipelines.domain.errors import RequirementMissing
from erp_pipelines.domain.money import apportion, minor_unit
from erp_pipelines.domain.orders import ZERO, Charged
from erp_pipelines.domain.parts import Part, Parts, parts_of

TAXED, EXEMPT = "TAX", "NON"


@dataclass(frozen=True)
class Taxes:
    """The taxes of one completed order in one company."""

    order: Charged
    books: Books
    parts: Parts

    @classmethod
    def of(cls, order: Charged, books: Books) -> Taxes:
        """Raises RequirementMissing for a tax where the company has sales tax switched off."""
        if order.tax_total and not books.using_sales_tax:
            raise setting_missing(
                f"The order has {order.tax_total} of tax, but sales tax is switched off in the company.",
                "salesTax",
                "Set up sales tax in QuickBooks (Taxes, Sales tax) and reconnect.",
            )
        return cls(order, books, parts_of(order))

    @property
    def rest_on_lines(self) -> bool:
        """Outside the US a tax needs a line that bears it; in the US the document's total says it all."""
        return self.books.using_sales_tax and not self.books.in_the_us

    @property
    def inclusive(self) -> bool:
        """Whether amounts hold a tax that the lines of a document must leave out."""
        return bool(self.order.prices_include_tax and self.order.tax_total)

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """The tax code of each line. Raises RequirementMissing for a rate that has none."""
        parts = self.parts
        if parts.itemised or not self.order.tax_total or self.books.in_the_us:
            return tuple(self._code(part) for part in parts.lines)
        # Lines without taxes of their own are taken to bear the order's at one rate.
        return (self._code(parts.whole),) * len(parts.lines)

    @cached_property
    def shipping_code(self) -> str:
        """Shipping is taxed only where the order says so."""
        return self._code(self.parts.shipping)

    def mixed(self, *, with_shipping: bool) -> bool:
        """Whether the lines have different codes: a discount line would lower the base of each, not only of its own."""
        return self.books.using_sales_tax and len({*self.codes, *([self.shipping_code] if with_shipping else [])}) > 1

    def code_ref(self, number: int) -> dict[str, str] | None:
        return reference(self.codes[number]) if self.books.using_sales_tax else None

    def shipping_code_ref(self) -> dict[str, str] | None:
        return reference(self.shipping_code) if self.books.using_sales_tax else None

    def exempt_code_ref(self) -> dict[str, str] | None:
        """For a line that is none of the order's."""
        return reference(self._code(Part(ZERO, ZERO))) if self.books.using_sales_tax else None

    def gross_of(self, part: Part) -> Decimal | None:
        """What a line with its tax comes to, where QuickBooks wants to know."""
        return part.gross if self.inclusive and self.rest_on_lines else None

    def fields(self, *, discounted: bool) -> dict[str, Any]:
        """TxnTaxDetail and what goes with it. Zero is sent as well: else the engine adds a tax of its own."""
        if not self.books.using_sales_tax:
            return {}
        total = {"TotalTax": self.order.tax_total or ZERO}
        if self.books.in_the_us:
            return {**({"ApplyTaxAfterDiscount": True} if discounted else {}), "TxnTaxDetail": total}
        lines = list(self._tax_lines())
        return {
            "GlobalTaxCalculation": "TaxInclusive" if self.inclusive else "TaxExcluded",
            "TxnTaxDetail": {**total, **({"TaxLine": lines} if lines else {})},
        }

    def _code(self, part: Part) -> str:
        if not self.books.using_sales_tax:
            return ""
        if self.books.in_the_us:
            return TAXED if part.tax or part.rate else EXEMPT
        return _own_code(part, self.books, minor_unit(self.order.currency))

    def _tax_lines(self) -> Iterator[dict[str, Any]]:
        """Our amount for each rate, in the order of the rates' ids; nothing where the rates of a code are not known."""
        nets: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
        taxes: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
        for code, net, tax in self._by_code():
            found = self.books.tax_codes.get(code)
            if found is None:
                return
            for rate, amount in _split(tax, found.percents, self.order.currency).items():
                nets[rate] += net
                taxes[rate] += amount
        for rate in sorted(taxes):
            detail = {"TaxRateRef": reference(rate), "PercentBased": True, "NetAmountTaxable": nets[rate]}
            yield {"Amount": taxes[rate], "DetailType": "TaxLineDetail", "TaxLineDetail": detail}

    def _by_code(self) -> Iterator[tuple[str, Decimal, Decimal]]:
        """Code, net and tax of all that has a tax code with a tax behind it."""
        shipping = self.parts.shipping
        charged = [(self.shipping_code, shipping)] if shipping.net or shipping.tax else []
        nets: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
        taxes: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
        for code, part in (*zip(self.codes, self.parts.lines, strict=True), *charged):
            nets[code] += part.net
            taxes[code] += part.tax
        for code in nets:
            known = self.books.tax_codes.get(code)
            if taxes[code] or (known and known.percent):
                yield code, nets[code], taxes[code]


def _split(tax: Decimal, percents: Mapping[str, Decimal], currency: str) -> dict[str, Decimal]:
    """The tax of one code on its rates, in proportion."""
    ids = sorted(percents)
    return dict(zip(ids, apportion(tax, [percents[rate] for rate in ids], currency), strict=True)) if ids else {}


def _own_code(part: Part, books: Books, unit: Decimal) -> str:
    """The company's code for this part: by the rate that is mapped, else the one code for all that is taxed."""
    mapped, settings = books.own.tax_codes, books.settings
    rate = part.rate if part.rate is not None else _nearest_rate(part, books, unit)
    if rate == 0:
        code = mapped.get(rate) or settings.exempt_tax_code_id
    elif mapped:
        code = mapped.get(rate) if rate else None
    else:
        code = settings.tax_code_id
    if code:
        return code
    raise _rate_missing(part, rate) if mapped and rate != 0 else _code_missing(taxed=rate != 0)


def _nearest_rate(part: Part, books: Books, unit: Decimal) -> Decimal | None:
    """The mapped rate that gives this tax best, as near as rounding each piece would leave it; None for none so near."""
    if not part.tax:
        return ZERO
    allowed = unit * max(abs(part.quantity), Decimal(1))
    off = {rate: abs(part.tax - part.net * rate) for rate in books.own.tax_codes if rate}
    near = [rate for rate, difference in off.items() if difference <= allowed]
    return min(near, key=lambda rate: (off[rate], rate)) if near else None


def _rate_missing(part: Part, rate: Decimal | None) -> RequirementMissing:
    said = f"the rate {rate}" if rate is not None else "no rate that is mapped to a tax code"
    return setting_missing(
        f"A tax of {part.tax} on {part.net} is of {said}, for which no tax code is chosen.",
        "taxCodes",
        "Choose a tax code for this rate in the settings of the QuickBooks connection (providerSettings.taxCodes).",
    )


def _code_missing(*, taxed: bool) -> RequirementMissing:
    kind, name = ("taxed", "taxCodeId") if taxed else ("exempt", "exemptTaxCodeId")
    return setting_missing(
        f"QuickBooks wants a tax code on every line, and none is chosen for {kind} lines.",
        name,
        f"Choose the tax code for {kind} lines in the settings of the QuickBooks connection.",
    )
