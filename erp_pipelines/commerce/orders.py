"""Orders of the shop: saved as a whole, paid and cancelled."""

from __future__ import annotations

from erp_pipelines.commerce.payments import (
    ErpPayment,
    Paid,
    announce_payments,
    apply_from_erp,
    find_locked,
    pay,
    payments_of,
    received,
)
from erp_pipelines.commerce.saving import UNCHANGED, Saved, announce, require_tenant, storable
from erp_pipelines.domain.errors import Conflict, NotFound, RecordInvalid
from erp_pipelines.domain.events import EventType
from erp_pipelines.domain.orders import Order, OrderStatus
from erp_pipelines.domain.payments import PaymentStatus, status_for
from erp_pipelines.storage import commerce_orders as store
from erp_pipelines.storage.engine import Connection

__all__ = ["ErpPayment", "Paid", "Saved", "apply_from_erp", "cancel", "get", "pay", "payments_of", "save"]


def get(conn: Connection, tenant_id: str, order_id: str) -> Order:
    """The completed order. Raises NotFound."""
    found = store.find(conn, tenant_id, order_id)
    if found is None:
        raise NotFound(f"There is no order {order_id!r}.")
    return found


def save(conn: Connection, tenant_id: str, order: Order) -> Saved:
    """Insert the order, or replace it with all its lines, and append its event; nothing when nothing changed.

    The payment status belongs to the payments. A new order that says `paid` gets a payment of its total,
    dated as the order, so OrderPaid and PaymentRecorded follow OrderCreated; the field is ignored on later saves.
    A changed total weighs the payments anew, and may not fall below them.
    Raises RecordInvalid when the parts do not add up or the customer or a product is unknown, Conflict when
    another order has the number or a cancelled order would come back to life, NotFound for an unknown tenant.
    """
    wanted = storable(order, Order.completed)
    before = find_locked(conn, tenant_id, wanted.id)
    if before is None:
        return _create(conn, tenant_id, wanted)
    wanted = wanted.model_copy(update={"payment_status": before.payment_status})
    if wanted.payload() == before.payload():
        return UNCHANGED
    return _replace(conn, tenant_id, before, wanted)


def cancel(conn: Connection, tenant_id: str, order_id: str) -> Saved:
    """Set the status to cancelled and append OrderCancelled; nothing when it is cancelled already. Raises NotFound."""
    before = find_locked(conn, tenant_id, order_id)
    if before is None:
        raise NotFound(f"There is no order {order_id!r}.")
    if before.status is OrderStatus.CANCELLED:
        return UNCHANGED
    return _replace(conn, tenant_id, before, before.model_copy(update={"status": OrderStatus.CANCELLED}))


def _create(conn: Connection, tenant_id: str, wanted: Order) -> Saved:
    _check_new_payment_status(wanted)
    require_tenant(conn, tenant_id)
    _check_references(conn, tenant_id, wanted)
    unpaid = wanted.model_copy(update={"payment_status": PaymentStatus.UNPAID})
    if not store.insert(conn, tenant_id, unpaid):
        raise _number_taken(conn, tenant_id, wanted)
    event = announce(conn, tenant_id, EventType.ORDER_CREATED, unpaid)
    if wanted.payment_status is PaymentStatus.PAID:
        pay(conn, tenant_id, wanted.id, date=wanted.order_date)
    return Saved(changed=True, created=True, event_id=event)


def _replace(conn: Connection, tenant_id: str, before: Order, wanted: Order) -> Saved:
    if before.status is OrderStatus.CANCELLED and wanted.status is not OrderStatus.CANCELLED:
        raise Conflict(f"Order {wanted.id!r} is cancelled.", mend="Save it again under a new id and number.")
    _check_references(conn, tenant_id, wanted)
    after = _weighed(conn, tenant_id, before, wanted)
    if not store.update(conn, tenant_id, after):
        raise _number_taken(conn, tenant_id, after)
    event = announce(conn, tenant_id, _event_for(before, after), after)
    if _became_paid(before, after):
        announce_payments(conn, tenant_id, after.id)
    return Saved(changed=True, created=False, event_id=event)


def _weighed(conn: Connection, tenant_id: str, before: Order, wanted: Order) -> Order:
    """The order with the payment status that its payments give under the new total."""
    if (wanted.amount_due, wanted.currency) == (before.amount_due, before.currency):
        return wanted
    paid = received(conn, tenant_id, before)
    if not paid:
        return wanted
    if wanted.currency != before.currency or wanted.amount_due < paid:
        raise Conflict(
            f"Order {wanted.id!r} has received {paid} {before.currency}: "
            f"its total cannot become {wanted.amount_due} {wanted.currency}.",
            mend="Leave the total at or above what was received.",
        )
    return wanted.model_copy(update={"payment_status": status_for(wanted.amount_due, paid)})


def _event_for(before: Order, after: Order) -> EventType:
    if after.status is OrderStatus.CANCELLED and before.status is not OrderStatus.CANCELLED:
        return EventType.ORDER_CANCELLED
    return EventType.ORDER_PAID if _became_paid(before, after) else EventType.ORDER_UPDATED


def _became_paid(before: Order, after: Order) -> bool:
    return after.payment_status is PaymentStatus.PAID and before.payment_status is not PaymentStatus.PAID


def _check_new_payment_status(order: Order) -> None:
    if order.payment_status in {PaymentStatus.UNPAID, PaymentStatus.PAID}:
        return
    raise RecordInvalid(
        f"Order {order.id!r} is new and says {order.payment_status}, but no payment of it is known.",
        field="paymentStatus",
        mend="Save it as unpaid and record its payments, or save it as paid.",
    )


def _check_references(conn: Connection, tenant_id: str, order: Order) -> None:
    if not store.customer_exists(conn, tenant_id, order.customer_id):
        raise RecordInvalid(
            f"Order {order.id!r}: there is no customer {order.customer_id!r}.",
            field="customerId",
            mend="Save the customer first.",
        )
    unknown = store.unknown_products(conn, tenant_id, (line.product for line in order.lines))
    for number, line in enumerate(order.lines, 1):
        if line.product in unknown:
            raise RecordInvalid(
                f"Order {order.id!r}, line {number}: there is no product {line.product!r}.",
                field=f"lines[{number}].product",
                mend="Save the product first.",
            )


def _number_taken(conn: Connection, tenant_id: str, order: Order) -> Conflict:
    holder = store.holder_of(conn, tenant_id, order.number)
    return Conflict(
        f"Order {order.id!r}: the number {order.number!r} is taken by order {holder!r}.", mend="Give it another number."
    )
