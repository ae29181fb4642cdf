"""For hosts that keep their records here: save them, and the events to the ERPs are written in the same transaction."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from erp_pipelines.commerce import customers, orders, payments, products, receipts, refunds
from erp_pipelines.commerce.receipts import Share
from erp_pipelines.commerce.refunds import Wanted
from erp_pipelines.commerce.returns import Returned
from erp_pipelines.commerce.saving import Saved
from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.errors import RecordInvalid
from erp_pipelines.domain.orders import Order
from erp_pipelines.domain.products import Product
from webhook_api.dependencies import Admin, House
from webhook_api.payment_schemas import PaymentIn, PaymentOut
from webhook_api.schemas import PaidOut, PayIn, RefundedOut, RefundIn, SavedOut

router = APIRouter(prefix="/api/commerce", tags=["commerce"])
NEW: dict[int | str, dict[str, Any]] = {201: {"model": SavedOut, "description": "Saved; it is new."}}


@router.put("/customers/{record_id}", responses=NEW)
def save_customer(runtime: House, user: Admin, record_id: str, record: Customer, response: Response) -> SavedOut:
    """Save the whole record; 201 when it is new. The same record again changes nothing and tells no ERP."""
    _check_id(record_id, record)
    with runtime.db.tenant(user.tenant_id) as conn:
        saved = customers.save(conn, user.tenant_id, record)
    return _answer(response, record_id, saved)


@router.put("/products/{record_id}", responses=NEW)
def save_product(runtime: House, user: Admin, record_id: str, record: Product, response: Response) -> SavedOut:
    """Save the whole record; 201 when it is new."""
    _check_id(record_id, record)
    with runtime.db.tenant(user.tenant_id) as conn:
        saved = products.save(conn, user.tenant_id, record)
    return _answer(response, record_id, saved)


@router.put("/orders/{record_id}", responses=NEW)
def save_order(runtime: House, user: Admin, record_id: str, record: Order, response: Response) -> SavedOut:
    """Save the order with all its lines; 201 when it is new. Amounts left out are computed, given ones must agree."""
    _check_id(record_id, record)
    with runtime.db.tenant(user.tenant_id) as conn:
        saved = orders.save(conn, user.tenant_id, record)
    return _answer(response, record_id, saved)


@router.post("/orders/{order_id}/pay")
def pay(runtime: House, user: Admin, order_id: str, payment: PayIn | None = None) -> PaidOut:
    """Record a payment; without a body the open balance, today. Paying a paid order changes nothing."""
    given = payment or PayIn()
    with runtime.db.tenant(user.tenant_id) as conn:
        paid = payments.pay(
            conn,
            user.tenant_id,
            order_id,
            date=given.date or runtime.clock.now().date(),
            amount=given.amount,
            method=given.method,
            reference=given.reference,
            payment_id=given.payment_id,
        )
    return PaidOut(order_id=order_id, payment_status=paid.status, payment_id=paid.payment_id, changed=paid.changed)


@router.post("/payments")
def receive(runtime: House, user: Admin, given: PaymentIn) -> PaymentOut:
    """Record one payment for several orders of one customer. The same `paymentId` again changes nothing."""
    shares = [Share(part.order_id, part.amount) for part in given.allocations]
    with runtime.db.tenant(user.tenant_id) as conn:
        receipt = receipts.receive(
            conn,
            user.tenant_id,
            shares,
            date=given.date or runtime.clock.now().date(),
            amount=given.amount,
            method=given.method,
            reference=given.reference,
            payment_id=given.payment_id,
        )
    return PaymentOut.of(receipt)


@router.post("/orders/{order_id}/refund")
def refund(runtime: House, user: Admin, order_id: str, given: RefundIn | None = None) -> RefundedOut:
    """Record a refund; without a body all that is left of what was received. Never more than that."""
    asked = given or RefundIn()
    wanted = Wanted(
        date=asked.date or runtime.clock.now().date(),
        amount=asked.amount,
        lines=[Returned(one.line, one.quantity) for one in asked.lines],
        shipping=asked.shipping,
        method=asked.method,
        reference=asked.reference,
        reason=asked.reason,
    )
    with runtime.db.tenant(user.tenant_id) as conn:
        done = refunds.refund(conn, user.tenant_id, order_id, wanted, refund_id=asked.refund_id)
    return RefundedOut(
        order_id=order_id,
        payment_status=done.status,
        refund_id=done.refund_id,
        amount=done.amount,
        changed=done.changed,
    )


@router.post("/orders/{order_id}/cancel")
def cancel(runtime: House, user: Admin, order_id: str) -> SavedOut:
    """Cancel the order. Nothing is deleted in an ERP by this."""
    with runtime.db.tenant(user.tenant_id) as conn:
        saved = orders.cancel(conn, user.tenant_id, order_id)
    return SavedOut.of(order_id, saved)


def _check_id(record_id: str, record: Customer | Product | Order) -> None:
    if record.id != record_id:
        raise RecordInvalid("The id in the address is not the record's.", field="id", mend="Send the same id in both.")


def _answer(response: Response, record_id: str, saved: Saved) -> SavedOut:
    response.status_code = 201 if saved.created else 200
    return SavedOut.of(record_id, saved)
