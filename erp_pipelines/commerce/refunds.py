"""Money given back for orders, never more than was received."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from erp_pipelines.commerce.payments import find_locked, received
from erp_pipelines.commerce.returns import Returned, everything_left, returned_lines, shipping_of
from erp_pipelines.commerce.saving import announce, storable
from erp_pipelines.domain.errors import Conflict, NotFound, RecordInvalid
from erp_pipelines.domain.events import EventType
from erp_pipelines.domain.orders import ZERO, Order, Shipping, amount_of
from erp_pipelines.domain.payments import PaymentStatus
from erp_pipelines.domain.refunds import Refund, RefundLine
from erp_pipelines.storage import commerce_orders
from erp_pipelines.storage import commerce_refunds as store
from erp_pipelines.storage.engine import Connection

# The id of a refund is made from the order's, and both have at most 100 characters.
ID_ROOM = 90


@dataclass(frozen=True)
class Wanted:
    """What is to be given back: all that is left, unless an amount, lines or the shipping are named.

    An amount besides lines is the refund's whole; what it differs from them is an adjustment.
    """

    date: dt.date
    amount: Decimal | None = None
    lines: Sequence[Returned] = ()
    shipping: bool = False
    method: str | None = None
    reference: str | None = None
    reason: str | None = None

    @property
    def names_goods(self) -> bool:
        return bool(self.lines) or self.shipping


@dataclass(frozen=True)
class Refunded:
    status: PaymentStatus
    refund_id: str
    amount: Decimal
    changed: bool


def refunds_of(conn: Connection, tenant_id: str, order_id: str) -> list[Refund]:
    """All refunds of the order, the oldest first; empty for an order that does not exist."""
    return store.of_order(conn, tenant_id, order_id)


def refund(
    conn: Connection, tenant_id: str, order_id: str, wanted: Wanted, *, refund_id: str | None = None
) -> Refunded:
    """Record a refund and append RefundRecorded; OrderUpdated before it when nothing of what was received is left.

    Changes nothing for a `refund_id` seen before. Raises NotFound; Conflict for an order that has received nothing or has
    given all of it back, or a refund id that names other money; RecordInvalid for more than is left, of the money or of a
    line, and for an amount that is not positive.
    """
    order = find_locked(conn, tenant_id, order_id)
    if order is None:
        raise NotFound(f"There is no order {order_id!r}.")
    if refund_id is not None and (seen := store.find(conn, tenant_id, refund_id)) is not None:
        return _again(order, seen, wanted)
    before = store.of_order(conn, tenant_id, order_id)
    left = _left(order, received(conn, tenant_id, order), before)
    record = _record(order, wanted, before, left, refund_id or _free_id(conn, tenant_id, order_id, before))
    store.insert(conn, tenant_id, record)
    return _settle(conn, tenant_id, order, record, left)


def _again(order: Order, seen: Refund, wanted: Wanted) -> Refunded:
    if seen.order_id != order.id or wanted.amount not in {None, seen.amount_due}:
        raise Conflict(
            f"Refund {seen.id!r} is known already: {seen.amount} {seen.currency} for order {seen.order_id!r}.",
            mend="Give a new refund an id of its own.",
        )
    return Refunded(order.payment_status, seen.id, seen.amount_due, changed=False)


def _left(order: Order, got: Decimal, before: Iterable[Refund]) -> Decimal:
    left = got - sum((one.amount_due for one in before), ZERO)
    if left > 0:
        return left
    if got:
        raise Conflict(f"Order {order.id!r} has received {got} {order.currency}, and all of it was given back.")
    raise Conflict(f"Order {order.id!r} has received nothing: there is nothing to give back.")


def _record(order: Order, wanted: Wanted, before: Sequence[Refund], left: Decimal, refund_id: str) -> Refund:
    """The completed refund. Goods that are named count with their taxes; an amount alone is an adjustment."""
    lines, shipping = returned_lines(order, before, wanted.lines), shipping_of(order, before, wanted=wanted.shipping)
    if not wanted.names_goods and wanted.amount in {None, left}:
        lines, shipping = everything_left(order, before)
        if _worth(order, lines, shipping) != left:  # part of the money, or of the goods, is elsewhere
            lines, shipping = (), Shipping()
    worth = _worth(order, lines, shipping)
    amount = wanted.amount if wanted.amount is not None else worth if wanted.names_goods else left
    _check_amount(order, amount, left)
    return storable(
        Refund(
            id=refund_id, order_id=order.id, order_number=order.number, date=wanted.date, currency=order.currency,
            exchange_rate=order.exchange_rate, method=wanted.method, reference=wanted.reference, reason=wanted.reason,
            lines=lines, shipping=shipping, adjustment=amount - worth, prices_include_tax=order.prices_include_tax,
            amount=amount,
        ),
        Refund.completed,
    )  # fmt: skip


def _worth(order: Order, lines: Sequence[RefundLine], shipping: Shipping) -> Decimal:
    taxes = sum((line.tax or ZERO for line in lines), ZERO) + (shipping.tax or ZERO)
    amounts = sum((amount_of(line) for line in lines), ZERO) + shipping.amount
    return amounts if order.prices_include_tax else amounts + taxes


def _check_amount(order: Order, amount: Decimal, left: Decimal) -> None:
    if amount <= 0:
        raise RecordInvalid(
            f"A refund of {amount} {order.currency} is none.", field="amount", mend="Give an amount above 0."
        )
    if amount > left:
        raise RecordInvalid(
            f"{amount} {order.currency} is more than is left of what order {order.id!r} has received: {left}.",
            field="amount",
            mend="Give back at most what is left.",
        )


def _settle(conn: Connection, tenant_id: str, order: Order, record: Refund, left: Decimal) -> Refunded:
    status = PaymentStatus.REFUNDED if record.amount_due == left else order.payment_status
    if status is not order.payment_status:
        commerce_orders.set_payment_status(conn, tenant_id, order.id, status)
        announce(conn, tenant_id, EventType.ORDER_UPDATED, order.model_copy(update={"payment_status": status}))
    announce(conn, tenant_id, EventType.REFUND_RECORDED, record)
    return Refunded(status, record.id, record.amount_due, changed=True)


def _free_id(conn: Connection, tenant_id: str, order_id: str, before: Sequence[Refund]) -> str:
    number = len(before) + 1
    while store.find(conn, tenant_id, f"{order_id[:ID_ROOM]}-R{number}") is not None:
        number += 1
    return f"{order_id[:ID_ROOM]}-R{number}"
