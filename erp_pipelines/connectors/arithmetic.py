"""How the amount of a line came about, for people. Pure."""

from __future__ import annotations

from erp_pipelines.connectors.mapping import number
from erp_pipelines.domain.orders import Charged, OrderLine, amount_of, discount_of
from erp_pipelines.domain.parts import Part


def arithmetic(order: Charged, line: OrderLine, part: Part, *, whole: bool, folded: bool) -> str:
    """How a line's amount came about, for people: `(2 x 12.5 less 10 % = 22.50)`; empty where there is nothing to tell.

    `whole`: from quantity and price on, for a line that shows others. `folded`: down to the net amount, where the line
    bears its share of the order's discount, and prices hold a tax that stands elsewhere.
    """
    told = [f"{number(line.quantity):f} x {number(line.unit_price):f}"] if whole else []
    discount = discount_of(line, order.currency)
    if discount:
        rate = line.discount_rate
        much = f"{number(rate * 100):f} %" if rate else f"{abs(discount):f}"
        told.append(f"{'less' if discount > 0 else 'plus'} {much} = {amount_of(line):f}")
    if folded and part.share:
        told.append(f"less {part.share:f} of the order's discount")
    if folded and order.prices_include_tax and part.tax:
        told.append(f"less {part.tax:f} of tax")
    return f"({' '.join(told)})" if told else ""
