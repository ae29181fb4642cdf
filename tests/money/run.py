"""Random orders through the connector into the twin, and what stands there compared with what the shop has charged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

from erp_pipelines.commerce.returns import Returned, everything_left, returned_lines
from erp_pipelines.connectors.base import Ref
from erp_pipelines.domain import errors
from erp_pipelines.domain.orders import Order, Shipping
from erp_pipelines.domain.payments import Payment
from erp_pipelines.domain.refunds import Refund, RefundLine
from erp_twins.quickbooks import lines as twin_lines
from erp_twins.quickbooks import tax as twin_tax
from tests.contract.connector_suite import CUSTOMER, write
from tests.contract.quickbooks_shop import Shop
from tests.money import foreign
from tests.money.regimes import ROUNDING, SHIPPING, Regime
from tests.money.till import ZERO, Sale, half_up, sell
from tests.support.factories import make_product

SHARE_REFUNDED = 0.2
A_COMPANY = 1000  # orders before the next company: a twin keeps everything
MANUAL_CODE = "2"  # what a bookkeeper in a US company without automated tax would choose
PRODUCTS = tuple(Ref("Product", f"p{place}") for place in range(1, 7))


@dataclass
class Hardest:
    """The sale on which QuickBooks' own arithmetic was off most."""

    off: Decimal = ZERO
    sale: Sale | None = None
    document: Any = None


@dataclass
class Result:
    """What came of the orders of one regime. `own_off`: where QuickBooks by itself would have come to another tax."""

    regime: Regime
    orders: int = 0
    exact: int = 0
    own_off: int = 0
    rounded: int = 0
    refunded: int = 0
    paid: int = 0
    explained: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    cents_off: Decimal = ZERO
    hardest: Hardest = field(default_factory=Hardest)


class Counterpart:
    """A company in one regime, with all that orders need in it."""

    def __init__(self, regime: Regime) -> None:
        self.regime, self.shop = regime, Shop(dict(regime.company))
        ids = {ROUNDING: self._item("Rounding"), SHIPPING: self._item("Freight")}
        own = {"refundAccountId": "1"} | {name: ids.get(str(value), value) for name, value in regime.own.items()}
        if regime.codes:
            own["taxCodes"] = dict(regime.codes)
        self.shop.choose(own=own, **{name: ids.get(value, value) for name, value in regime.settings.items()})
        customer = {"currency": regime.currency} if regime.currency else {}
        self.refs = {CUSTOMER: self.shop.customer(**customer).external_id}
        for product in PRODUCTS:
            self.refs[product] = self.shop.push(write(product, make_product(product.entity_id))).external_id

    def _item(self, name: str) -> str:
        return str(self.shop.books.item(name, Type="Service", Taxable=False)["Id"])

    def push(self, sale: Sale) -> Any:
        """The document that stands in the twin for the sale."""
        done = self.shop.push(write(Ref("Order", sale.order.id), sale.order, self.refs))
        return self.shop.company.get("Invoice", done.external_id)

    def refund(self, refund: Refund) -> Any:
        """The document that stands in the twin for it."""
        done = self.shop.push(write(Ref("Refund", refund.id), refund, self.refs | {Ref("Order", refund.order_id): "1"}))
        return self.shop.company.get(done.external_type, done.external_id)

    def pay(self, payment: Payment, invoice: str) -> Any:
        """The payment that stands in the twin for it."""
        refs = {CUSTOMER: self.refs[CUSTOMER], Ref("Order", payment.order_id): invoice}
        done = self.shop.push(write(Ref("Payment", payment.id), payment, refs))
        return self.shop.company.get("Payment", done.external_id)

    def own_tax(self, document: Any) -> Decimal:
        """The tax that QuickBooks would have computed, had nobody told it."""
        untold = {**document, "TxnTaxDetail": {"TxnTaxCodeRef": {"value": MANUAL_CODE}}}
        return Decimal(twin_tax.detail(self.shop.company, untold, twin_lines.discount(untold), ZERO)["TotalTax"])


def run(regime: Regime, orders: int, seed: int) -> Result:
    """The regime's orders, each from a seed of its own."""
    result = Result(regime)
    for place in range(orders):
        if place % A_COMPANY == 0:
            counterpart = Counterpart(regime)
        one(counterpart, Random(f"{regime.name}:{seed}:{place}"), f"n{place}", result)
    return result


def one(counterpart: Counterpart, random: Random, number: str, result: Result) -> None:
    """One order; what is wrong with its document goes into the result."""
    sale = sell(random, counterpart.regime, number)
    result.orders += 1
    try:
        document = counterpart.push(sale)
    except (errors.Rejected, errors.RequirementMissing) as error:
        result.explained[
            errors.RequirementMissing.code if isinstance(error, errors.RequirementMissing) else error.cause
        ] += 1
        return
    off = document["TotalAmt"] - sale.total
    if off and not counterpart.regime.told:
        result.explained["total-differs"] += 1  # beyond the limit: the engine makes an open error of it
        return
    result.cents_off += abs(off)
    faults = [*differences(sale, document, counterpart.regime), *foreign.differences(sale, document)]
    if sale.home is not None:
        faults += _paid(counterpart, random, sale, document)
        result.paid += 1
    result.wrong += [f"{number} ({sale.policy}): {fault}" for fault in faults]
    result.exact += not faults
    result.rounded += any(line.get("Description", "").startswith("Rounding:") for line in document["Line"])
    if counterpart.regime.told and random.random() < SHARE_REFUNDED:
        result.refunded += 1
        result.wrong += [f"{number}: {fault}" for fault in given_back(counterpart, random, sale)]
    own_off = abs(counterpart.own_tax(document) - sale.tax)
    result.own_off += bool(own_off)
    if own_off > result.hardest.off:
        result.hardest = Hardest(own_off, sale, document)


def _paid(counterpart: Counterpart, random: Random, sale: Sale, document: Any) -> list[str]:
    booked = [counterpart.pay(payment, document["Id"]) for payment in foreign.payments(random, sale)]
    return list(foreign.unpaid(sale, booked, counterpart.shop.company.get("Invoice", document["Id"])))


def given_back(counterpart: Counterpart, random: Random, sale: Sale) -> Iterator[str]:
    """The order comes back in two parcels; what the documents say otherwise than was charged."""
    order, refunds = sale.order, list[Refund]()
    piece = (order.lines[0].quantity * random.randint(1, 2) / 3).quantize(Decimal("0.00001"))
    parcels = ((returned_lines(order, (), [Returned(1, piece)]), Shipping()), None)
    for parcel in parcels:
        lines, shipping = parcel or everything_left(order, refunds)
        refund = _refund(order, f"{order.id}-R{len(refunds)}", lines, shipping)
        if refund is None:  # nothing was charged for it
            return
        refunds.append(refund)
        booked = counterpart.refund(refund)
        if booked["TotalAmt"] != refund.amount_due:
            yield f"refund of {refund.amount_due} is booked as {booked['TotalAmt']}"
        if order.exchange_rate and booked["HomeTotalAmt"] != half_up(refund.amount_due * order.exchange_rate):
            yield f"refund of {refund.amount_due} is {booked['HomeTotalAmt']} at home"
    back = sum((refund.amount_due for refund in refunds), ZERO)
    if back != sale.total:
        yield f"given back {back}, charged {sale.total}"


def _refund(order: Order, refund_id: str, lines: tuple[RefundLine, ...], shipping: Shipping) -> Refund | None:
    parts = {"lines": lines, "shipping": shipping, "prices_include_tax": order.prices_include_tax}
    head = {"order_id": order.id, "order_number": order.number, "date": order.order_date}
    head |= {"currency": order.currency, "exchange_rate": order.exchange_rate}
    try:
        return Refund(id=refund_id, **head, **parts).completed()
    except errors.RecordInvalid:
        return None


def differences(sale: Sale, document: Any, regime: Regime) -> Iterator[str]:
    """What the document says otherwise than the shop: its total, its tax, each rate's tax and base."""
    if document["TotalAmt"] != sale.total:
        yield f"total {document['TotalAmt']}, charged {sale.total}"
    tax = document["TxnTaxDetail"]
    if regime.told and tax["TotalTax"] != sale.tax:
        yield f"tax {tax['TotalTax']}, charged {sale.tax}"
    if regime.codes and sale.named:
        yield from _codes(sale, document, regime)
        if set(regime.codes.values()) <= {"1", "2", "3"}:
            yield from _rates(sale, tax, regime)


def _codes(sale: Sale, document: Any, regime: Regime) -> Iterator[str]:
    by_rate = {Decimal(rate): code for rate, code in regime.codes.items()}
    for line, booked in zip(sale.order.lines, document["Line"], strict=False):
        code = booked["SalesItemLineDetail"]["TaxCodeRef"]["value"]
        if code != by_rate[line.tax_rate or ZERO]:
            yield f"line of rate {line.tax_rate} has code {code}"


def _rates(sale: Sale, tax: Any, regime: Regime) -> Iterator[str]:
    """Codes 1 to 3 have one rate each, of the same id. How a discount of the order is spread is the shop's secret: then
    bases are compared in their sum only."""
    booked = {line["TaxLineDetail"]["TaxRateRef"]["value"]: line for line in tax.get("TaxLine", [])}
    nets = {
        rate: booked[code]["TaxLineDetail"]["NetAmountTaxable"] for rate, code in regime.codes.items() if code in booked
    }
    for rate, charged in sale.taxes.items():
        amount = booked[regime.codes[str(rate)]]["Amount"] if regime.codes[str(rate)] in booked else ZERO
        if amount != charged:
            yield f"rate {rate}: tax {amount}, charged {charged}"
    if not sale.order.order_discount:
        for rate, net in sale.nets.items():
            if nets.get(str(rate), ZERO) != net:
                yield f"rate {rate}: base {nets.get(str(rate))}, the shop's is {net}"
    elif sum(nets.values(), ZERO) != sum(sale.nets.values(), ZERO):
        yield f"bases come to {sum(nets.values(), ZERO)}, the shop's to {sum(sale.nets.values(), ZERO)}"
