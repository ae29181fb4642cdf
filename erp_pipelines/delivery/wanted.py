"""Whether a record is to be a document at all, by the settings of the connection. Pure."""

from __future__ import annotations

from erp_pipelines.domain.connections import ConnectionSettings
from erp_pipelines.domain.events import CanonicalRecord
from erp_pipelines.domain.orders import Order, OrderStatus
from erp_pipelines.domain.payments import PaymentStatus


def unwanted(record: CanonicalRecord, settings: ConnectionSettings) -> str | None:
    """Why a record that does not stand in the ERP yet is not brought there now; None when it is wanted."""
    if not isinstance(record, Order):
        return None
    if settings.start_date and record.order_date < settings.start_date:
        return f"The order is of before {settings.start_date}, where this connection starts."
    if record.status == OrderStatus.CANCELLED:
        return "The order was cancelled before it became a document."
    if record.status == OrderStatus.DRAFT:
        return "A draft is no document."
    paid = record.payment_status in (PaymentStatus.PAID, PaymentStatus.REFUNDED)
    if settings.documents_when == "paid" and not paid:
        return "The order becomes a document when it is paid."
    return None
