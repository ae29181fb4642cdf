"""One payment that a customer made for several orders."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from erp_pipelines.commerce.payments import (
    announce_payments,
    check_payable,
    checked_amount,
    free_id,
    received,
    settle_order,
)
from erp_pipelines.commerce.saving import announce, storable
from erp_pipelines.domain.errors import Conflict, NotFound, RecordInvalid
from erp_pipelines.domain.events import EntityType, EventType
from erp_pipelines.domain.money import check_minor_unit
from erp_pipelines.domain.orders import ZERO, Order
from erp_pipelines.domain.payments import Payment, PaymentStatus
from erp_pipelines.domain.records import parse
from erp_pipelines.storage import commerce, commerce_orders
from erp_pipelines.storage import commerce_payments as store
from erp_pipelines.storage.engine import Connection


@dataclass(frozen=True)
class Share:
    """What of the payment is for one order; without an amount all that is still open of it."""

    order_id: str
    amount: Decimal | None = None


@dataclass(frozen=True)
class Receipt:
    """What `receive` did, and how each order stands now."""

    payment: Payment
    statuses: Mapping[str, PaymentStatus]
    changed: bool


def receive(
    conn: Connection,
    tenant_id: str,
    shares: Sequence[Share],
    *,
    date: dt.date,
    amount: Decimal | None = None,
    method: str | None = None,
    reference: str | None = None,
    payment_id: str | None = None,
) -> Receipt:
    """Record one payment for these orders, the whole of it `amount`, or the sum of the shares.

    Appends OrderPaid or OrderUpdated for each order, then PaymentRecorded once. What `amount` is beyond the shares is for
    no order: the customer's credit. Nothing happens for a `payment_id` seen before. Raises NotFound; Conflict for an order
    that is cancelled or refunded, or a payment id that names other money; RecordInvalid for shares that exceed what
    is open or the amount, and for orders of different customers or currencies.
    """
    orders = _locked(conn, tenant_id, [share.order_id for share in shares])
    known = store.find(conn, tenant_id, payment_id) if payment_id else None
    if known is not None:
        _check_same(known.payment, shares, amount)
        return Receipt(known.payment, {order.id: order.payment_status for order in orders}, changed=False)
    _check_together(orders)
    before = {order.id: received(conn, tenant_id, order) for order in orders}
    payment = _payment(
        orders,
        [_part(order, before[order.id], share) for order, share in zip(orders, shares, strict=True)],
        amount,
        {"id": payment_id or free_id(conn, tenant_id, orders[0].id), "date": date, "method": method, "reference": reference},
    )  # fmt: skip
    if not store.insert(conn, tenant_id, payment, store.HOST):  # of other orders, recorded at this very moment
        raise _known_already(payment.id)
    return Receipt(payment, _settle(conn, tenant_id, orders, before, payment), changed=True)


def _locked(conn: Connection, tenant_id: str, ids: Sequence[str]) -> list[Order]:
    """The orders, which nobody else changes until this transaction ends."""
    if not ids or len(set(ids)) < len(ids):
        raise RecordInvalid("A payment is for one order or more, each named once.", field="allocations")
    commerce.lock_entities(conn, tenant_id, EntityType.ORDER, ids)
    found = {one: commerce_orders.find(conn, tenant_id, one, lock=True) for one in sorted(ids)}
    missing = [one for one in ids if found[one] is None]
    if missing:
        raise NotFound(f"There is no order {missing[0]!r}.")
    return [order for one in ids if (order := found[one]) is not None]


def _check_together(orders: Sequence[Order]) -> None:
    for order in orders:
        check_payable(order)
    for what, values in (
        ("customers", {order.customer_id for order in orders}),
        ("currencies", {order.currency for order in orders}),
    ):
        if len(values) > 1:
            raise RecordInvalid(
                f"The orders are of several {what}: {', '.join(sorted(values))}.",
                field="allocations",
                mend="Record a payment for each.",
            )


def _part(order: Order, before: Decimal, share: Share) -> dict[str, object]:
    part = checked_amount(order, before, share.amount)
    if not part:
        raise RecordInvalid(f"Nothing is open of order {order.id!r}.", field="allocations", mend="Leave it out.")
    return {"order_id": order.id, "amount": part}


def _payment(
    orders: Sequence[Order], parts: Sequence[dict[str, object]], amount: Decimal | None, given: Mapping[str, object]
) -> Payment:
    """One that is for a single order, and for nothing else, is recorded as such. Its rate is that of its orders, if they agree."""
    first, rates = orders[0], {order.exchange_rate for order in orders}
    shared = sum((Decimal(str(part["amount"])) for part in parts), ZERO)
    whole = shared if amount is None else check_minor_unit(amount, first.currency, "amount")
    single = len(parts) == 1 and whole == shared
    data = {**given, "order_id": first.id, "amount": whole, "currency": first.currency}
    data["exchange_rate"] = first.exchange_rate if len(rates) == 1 else None
    return storable(parse(Payment, {**data, "allocations": None if single else parts}))


def _settle(
    conn: Connection, tenant_id: str, orders: Sequence[Order], before: Mapping[str, Decimal], payment: Payment
) -> dict[str, PaymentStatus]:
    """Every order first, for the payment needs the documents of all; then what was paid before of those that are paid now."""
    statuses = {
        order.id: settle_order(conn, tenant_id, order, before[order.id] + payment.part_for(order.id))
        for order in orders
    }
    for order_id, status in statuses.items():
        if status is PaymentStatus.PAID:
            announce_payments(conn, tenant_id, order_id, but=payment.id)
    announce(conn, tenant_id, EventType.PAYMENT_RECORDED, payment)
    return statuses


def _check_same(known: Payment, shares: Sequence[Share], amount: Decimal | None) -> None:
    told = {share.order_id: share.amount for share in shares}
    parts = {part.order_id: part.amount for part in known.parts}
    same = told.keys() == parts.keys() and all(told[one] in {None, parts[one]} for one in parts)
    if not same or amount not in {None, known.amount}:
        raise _known_already(known.id, f": {known.amount} {known.currency} for orders {', '.join(parts)}")


def _known_already(payment_id: str, what: str = "") -> Conflict:
    return Conflict(f"Payment {payment_id!r} is known already{what}.", mend="Give a new payment an id of its own.")
