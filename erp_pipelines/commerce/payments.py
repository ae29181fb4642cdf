"""Money received for orders: by the shop itself, or first recorded in an ERP."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

from erp_pipelines.commerce.saving import announce, storable
from erp_pipelines.domain.errors import Conflict, NotFound, RecordInvalid
from erp_pipelines.domain.events import EntityType, EventType
from erp_pipelines.domain.money import check_minor_unit
from erp_pipelines.domain.orders import ZERO, Order, OrderStatus
from erp_pipelines.domain.payments import Payment, PaymentStatus, status_for
from erp_pipelines.domain.records import parse
from erp_pipelines.storage import commerce, commerce_orders, commerce_refunds
from erp_pipelines.storage import commerce_payments as store
from erp_pipelines.storage.engine import Connection

# The id of a payment is made from the order's, and both have at most 100 characters.
ID_ROOM = 90


@dataclass(frozen=True)
class Paid:
    """What `pay` did. `payment_id` is None when no money was recorded."""

    status: PaymentStatus
    payment_id: str | None
    changed: bool


@dataclass(frozen=True)
class ErpPayment:
    """What an ERP says of one payment: its id there, and the amount of it that it applies to the order's document."""

    id: str
    amount: Decimal
    date: dt.date
    method: str | None = None
    reference: str | None = None


def payments_of(conn: Connection, tenant_id: str, order_id: str) -> list[Payment]:
    """All payments of the order, the oldest first; empty for an order that does not exist."""
    return [stored.payment for stored in store.of_order(conn, tenant_id, order_id)]


def host_payments(conn: Connection, tenant_id: str, order_id: str) -> list[Payment]:
    """Those that the host has recorded."""
    return [found.payment for found in store.of_order(conn, tenant_id, order_id) if found.source == store.HOST]


def orders_of(conn: Connection, tenant_id: str, provider: str, erp_id: str, payment_id: str | None = None) -> list[str]:
    """Ids of the orders that an ERP's payment was applied to when it was last taken over, in order.

    `payment_id` is our payment that the ERP's is the copy of, if it is one: its order is among them.
    """
    return store.orders_paid_by(conn, tenant_id, provider, f"{provider}-{erp_id}", payment_id)


def find_locked(conn: Connection, tenant_id: str, order_id: str) -> Order | None:
    """The order, which nobody else changes until this transaction ends."""
    commerce.lock_entities(conn, tenant_id, EntityType.ORDER, [order_id])
    return commerce_orders.find(conn, tenant_id, order_id, lock=True)


def received(conn: Connection, tenant_id: str, order: Order) -> Decimal:
    """What was received for the order and counts: nothing when it is unpaid, whatever was voided in an ERP since."""
    if order.payment_status is PaymentStatus.UNPAID:
        return ZERO
    return sum((payment.part_for(order.id) for payment in payments_of(conn, tenant_id, order.id)), ZERO)


def pay(
    conn: Connection,
    tenant_id: str,
    order_id: str,
    *,
    date: dt.date,
    amount: Decimal | None = None,
    method: str | None = None,
    reference: str | None = None,
    payment_id: str | None = None,
) -> Paid:
    """Record a payment of the open balance, or of `amount`, and append OrderPaid (OrderUpdated for a part of it),
    then PaymentRecorded.

    Changes nothing and appends nothing for an order that is paid already and for a `payment_id` seen before.
    Raises NotFound; Conflict for a cancelled or refunded order, or a payment id that names other money;
    RecordInvalid for an amount that is not positive or exceeds the open balance.
    """
    order = find_locked(conn, tenant_id, order_id)
    if order is None:
        raise NotFound(f"There is no order {order_id!r}.")
    if payment_id is not None and _seen(conn, tenant_id, order, payment_id, amount):
        return Paid(order.payment_status, payment_id, changed=False)
    check_payable(order)
    if order.payment_status is PaymentStatus.PAID:
        return Paid(order.payment_status, None, changed=False)
    before = received(conn, tenant_id, order)
    paid = checked_amount(order, before, amount)
    if not paid:  # an order of nothing needs no money to be paid
        return _settle(conn, tenant_id, order, before, None)
    chosen = payment_id or free_id(conn, tenant_id, order_id)
    payment = _payment(order, ErpPayment(chosen, paid, date, method, reference), chosen, order.exchange_rate)
    store.insert(conn, tenant_id, payment, store.HOST)
    return _settle(conn, tenant_id, order, before + paid, payment)


def _settle(conn: Connection, tenant_id: str, order: Order, total_received: Decimal, payment: Payment | None) -> Paid:
    """Set the order's payment status and tell of it: the order first, for a payment needs its document."""
    status = settle_order(conn, tenant_id, order, total_received)
    if status is PaymentStatus.PAID:
        announce_payments(conn, tenant_id, order.id)
    elif payment is not None:
        announce(conn, tenant_id, EventType.PAYMENT_RECORDED, payment)
    return Paid(status, None if payment is None else payment.id, changed=True)


def settle_order(conn: Connection, tenant_id: str, order: Order, total_received: Decimal) -> PaymentStatus:
    """Set the order's payment status, and append OrderPaid, or OrderUpdated while it is paid in part; the status."""
    status = status_for(order.amount_due, total_received)
    after = order.model_copy(update={"payment_status": status})
    commerce_orders.set_payment_status(conn, tenant_id, order.id, status)
    announce(conn, tenant_id, EventType.ORDER_PAID if status is PaymentStatus.PAID else EventType.ORDER_UPDATED, after)
    return status


def announce_payments(conn: Connection, tenant_id: str, order_id: str, *, but: str | None = None) -> None:
    """Tell of all the host's payments and refunds of an order that has just become paid, save the payment `but`.

    The earlier ones were told when the order had no invoice yet; a repeat is harmless.
    """
    for stored in store.of_order(conn, tenant_id, order_id):
        if stored.source == store.HOST and stored.payment.id != but:
            announce(conn, tenant_id, EventType.PAYMENT_RECORDED, stored.payment)
    for given_back in commerce_refunds.of_order(conn, tenant_id, order_id):
        announce(conn, tenant_id, EventType.REFUND_RECORDED, given_back)


def apply_from_erp(
    conn: Connection,
    tenant_id: str,
    order_id: str,
    *,
    provider: str,
    total: Decimal,
    balance: Decimal,
    payments: Sequence[ErpPayment],
    ours: Collection[str] = (),
    document_is_behind: bool = False,
) -> bool:
    """Take over what the ERP says of the order's document; whether anything changed. Appends no event.

    `payments` are all that the ERP applies to the document. Those whose ERP id stands in `ours` are payments
    that we sent there and are left alone; the others are kept as the provider's own, and those of its own that it
    does not name any more are removed. The payment status follows the document's balance, plus what the host has
    received and the provider does not know of; a refunded order stays refunded. Where a newer state of the order has
    yet to reach the document (`document_is_behind`), what was received is weighed against the order instead.
    An order that the tables do not hold (a host that only emits events) is no change.
    """
    order = find_locked(conn, tenant_id, order_id)
    if order is None:
        return False
    theirs = [payment for payment in payments if payment.id not in ours]
    changed = _take_over(conn, tenant_id, order, provider, theirs)
    status = _status_from(conn, tenant_id, order, provider, total, balance, behind=document_is_behind)
    if status is not order.payment_status:
        commerce_orders.set_payment_status(conn, tenant_id, order_id, status)
    return changed or status is not order.payment_status


def _take_over(conn: Connection, tenant_id: str, order: Order, provider: str, theirs: Sequence[ErpPayment]) -> bool:
    stored = store.of_order(conn, tenant_id, order.id)
    known = {found.payment.id: found.payment for found in stored if found.source == provider}
    kept: set[str] = set()
    changed = False
    for given in theirs:
        ids = _erp_ids(provider, given.id, order.id)
        present = next((known[name] for name in ids if name in known), None)
        if present is None:
            kept.add(_insert_theirs(conn, tenant_id, order, provider, given))
            changed = True
            continue
        kept.add(present.id)
        wanted = _payment(order, given, present.id)
        if wanted.payload() != present.payload():
            store.update(conn, tenant_id, wanted)
            changed = True
    gone = known.keys() - kept
    for payment_id in sorted(gone):
        store.delete(conn, tenant_id, payment_id)
    return changed or bool(gone)


def _insert_theirs(conn: Connection, tenant_id: str, order: Order, provider: str, given: ErpPayment) -> str:
    """One payment in the ERP may close several orders: the second one's part gets an id with the order's in it."""
    for payment_id in _erp_ids(provider, given.id, order.id):
        if store.insert(conn, tenant_id, _payment(order, given, payment_id), provider):
            return payment_id
    raise Conflict(f"Payment {given.id!r} of {provider}: its id is taken by another payment.")


def _erp_ids(provider: str, erp_id: str, order_id: str) -> tuple[str, str]:
    return f"{provider}-{erp_id}", f"{provider}-{erp_id}-{order_id}"[:100]


def _status_from(
    conn: Connection, tenant_id: str, order: Order, provider: str, total: Decimal, balance: Decimal, *, behind: bool
) -> PaymentStatus:
    """A document of nothing says nothing of money: so does a voided one."""
    if order.payment_status is PaymentStatus.REFUNDED or not order.amount_due:
        return order.payment_status
    if total > 0 and balance <= 0 and not behind:
        return PaymentStatus.PAID
    elsewhere = store.host_total_unknown_to(conn, tenant_id, order.id, provider)
    due = total if total > 0 and not behind else order.amount_due
    return status_for(due, max(total - balance, ZERO) + elsewhere)


def _seen(conn: Connection, tenant_id: str, order: Order, payment_id: str, amount: Decimal | None) -> bool:
    found = store.find(conn, tenant_id, payment_id)
    if found is None:
        return False
    given = found.payment
    if given.allocations or given.order_id != order.id or amount not in {None, given.amount}:
        raise Conflict(
            f"Payment {payment_id!r} is known already: {found.payment.amount} {found.payment.currency} "
            f"for order {found.payment.order_id!r}.",
            mend="Give a new payment an id of its own.",
        )
    return True


def check_payable(order: Order) -> None:
    if order.status is OrderStatus.CANCELLED:
        raise Conflict(f"Order {order.id!r} is cancelled: it cannot be paid.")
    if order.payment_status is PaymentStatus.REFUNDED:
        raise Conflict(f"Order {order.id!r} was refunded: it cannot be paid.")


def checked_amount(order: Order, before: Decimal, amount: Decimal | None) -> Decimal:
    """The amount to record; zero only for the rest of an order that has none."""
    still_open = order.amount_due - before
    if amount is None:
        return max(still_open, ZERO)
    if amount <= 0:
        raise RecordInvalid(
            f"A payment of {amount} {order.currency} is none.", field="amount", mend="Give an amount above 0."
        )
    if amount > still_open:
        raise RecordInvalid(
            f"{amount} {order.currency} is more than the open balance of order {order.id!r}: "
            f"{still_open} (total {order.amount_due}, received {before}).",
            field="amount",
            mend="Record at most the open balance.",
        )
    return check_minor_unit(amount, order.currency, "amount")


def free_id(conn: Connection, tenant_id: str, order_id: str) -> str:
    """An id for the order's next payment."""
    number = len(store.of_order(conn, tenant_id, order_id)) + 1
    while store.find(conn, tenant_id, f"{order_id[:ID_ROOM]}-{number}") is not None:
        number += 1
    return f"{order_id[:ID_ROOM]}-{number}"


def _payment(order: Order, given: ErpPayment, payment_id: str, exchange_rate: Decimal | None = None) -> Payment:
    data = {
        "id": payment_id,
        "order_id": order.id,
        "amount": given.amount,
        "currency": order.currency,
        "date": given.date,
        "method": given.method,
        "reference": given.reference,
        "exchange_rate": exchange_rate,
    }
    return storable(parse(Payment, data))
