"""Sales tax of an invoice: the shop has computed it, QuickBooks is told so. Pure.

In the US a line takes TAX or NON and `TotalTax` overrides the automated engine, zero included. Elsewhere a line
takes a code of the company's own, and its amount can be set where the code has a single rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from erp_pipelines.connectors.mapping import setting_missing
from erp_pipelines.connectors.quickbooks.company import Books
from erp_pipelines.connectors.quickbooks.mapper_shared import reference
from erp_pipelines.domain.orders import ZERO, Order, amount_of

TAXED, EXEMPT = "TAX", "NON"


@dataclass(frozen=True)
class Taxes:
    """The taxes of one completed order in one company. `itemised`: the order says what each part bears."""

    order: Order
    books: Books
    itemised: bool

    @classmethod
    def of(cls, order: Order, books: Books) -> Taxes:
        """Raises RequirementMissing for a tax where the company has sales tax switched off."""
        total = order.tax_total or ZERO
        if total and not books.using_sales_tax:
            raise setting_missing(
                f"The order has {total} of tax, but sales tax is switched off in the company.",
                "salesTax",
                "Set up sales tax in QuickBooks (Taxes, Sales tax) and reconnect.",
            )
        parts = [line.tax for line in order.lines] + [order.shipping.tax]
        return cls(order, books, itemised=any(part is not None for part in parts))

    @property
    def rest_on_lines(self) -> bool:
        """Outside the US a tax needs a line that bears it; in the US the document's total says it all."""
        return self.books.using_sales_tax and not self.books.in_the_us

    def code(self, tax: Decimal | None) -> dict[str, str] | None:
        """The code of a line with this tax. A tax given for the whole order only is taken to be on every line."""
        if not self.books.using_sales_tax:
            return None
        taxed = bool(tax) if self.itemised else bool(self.order.tax_total)
        return reference(self._us_code(taxed) if self.books.in_the_us else self._own_code(taxed))

    def shipping_code(self, tax: Decimal | None) -> dict[str, str] | None:
        """Shipping is taxed only where the order says so."""
        if not self.books.using_sales_tax:
            return None
        return reference(self._us_code(bool(tax)) if self.books.in_the_us else self._own_code(bool(tax)))

    def fields(self) -> dict[str, Any]:
        """TxnTaxDetail and what goes with it. Zero is sent as well: else the engine adds a tax of its own."""
        if not self.books.using_sales_tax:
            return {}
        total = self.order.tax_total or ZERO
        if self.books.in_the_us:
            return {"TxnTaxDetail": {"TotalTax": total}}
        return {"GlobalTaxCalculation": "TaxExcluded", "TxnTaxDetail": {"TotalTax": total, **self._own_lines(total)}}

    def _us_code(self, taxed: bool) -> str:
        return TAXED if taxed else EXEMPT

    def _own_code(self, taxed: bool) -> str:
        settings = self.books.settings
        code = settings.tax_code_id if taxed else settings.exempt_tax_code_id
        if not code:
            kind, name = ("taxed", "taxCodeId") if taxed else ("exempt", "exemptTaxCodeId")
            raise setting_missing(
                f"QuickBooks wants a tax code on every line, and none is chosen for {kind} lines.",
                name,
                f"Choose the tax code for {kind} lines in the settings of the QuickBooks connection.",
            )
        return code

    def _own_lines(self, total: Decimal) -> dict[str, Any]:
        """Our amount for the rate of the taxed lines, so that rounding per rate cannot differ from ours."""
        rate = self.books.tax_rates.get(self.books.settings.tax_code_id or "")
        if not total or not rate:
            return {}
        net = self._net_taxable()
        detail = {"TaxRateRef": reference(rate), "PercentBased": True, "NetAmountTaxable": net}
        return {"TaxLine": [{"Amount": total, "DetailType": "TaxLineDetail", "TaxLineDetail": detail}]}

    def _net_taxable(self) -> Decimal:
        lines = [line for line in self.order.lines if line.tax or not self.itemised]
        shipping = self.order.shipping.amount if self.order.shipping.tax else ZERO
        return sum((amount_of(line) for line in lines), ZERO) + shipping
