"""Whether an order or a customer stands in the ERP: for the shop's pages and its staff."""

from __future__ import annotations

from fastapi import APIRouter

from erp_pipelines.domain.errors import NotFound
from erp_pipelines.domain.events import EntityType
from erp_pipelines.storage import sync_status
from webhook_api.dependencies import Anyone, House, Rep
from webhook_api.schemas import CustomerSync, OrderSync
from webhook_api.sync_states import provider_syncs

router = APIRouter(prefix="/api", tags=["status"])


@router.get("/orders/{order_id}/sync-status")
def order_status(runtime: House, user: Anyone, order_id: str) -> OrderSync:
    """A customer sees orders of their own, without reasons and links; another's is not there."""
    with runtime.db.tenant(user.tenant_id) as conn:
        order = sync_status.order(conn, user.tenant_id, order_id)
        if order is None or (not user.is_staff and order.customer_id != user.customer_id):
            raise NotFound(f"There is no order {order_id!r}.")
        shown = provider_syncs(conn, runtime, user.tenant_id, EntityType.ORDER, order_id, staff=user.is_staff)
    return OrderSync(order_id=order_id, payment_status=order.payment_status, providers=shown)


@router.get("/customers/{customer_id}/sync-status")
def customer_status(runtime: House, user: Rep, customer_id: str) -> CustomerSync:
    with runtime.db.tenant(user.tenant_id) as conn:
        if sync_status.customer(conn, user.tenant_id, customer_id) is None:
            raise NotFound(f"There is no customer {customer_id!r}.")
        shown = provider_syncs(conn, runtime, user.tenant_id, EntityType.CUSTOMER, customer_id, staff=True)
    return CustomerSync(customer_id=customer_id, providers=shown)
