"""An order as a sales order, or as an invoice where the tenant wants none. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from erp_pipelines.connectors.base import Ref
from erp_pipelines.connectors.mapping import external_id, set_only, setting_missing
from erp_pipelines.connectors.netsuite.company import Books
from erp_pipelines.connectors.netsuite.config import DISPLAY_NAME
from erp_pipelines.connectors.netsuite.keys import order_key
from erp_pipelines.connectors.netsuite.mapper_lines import is_folded, lines, shipping_is_line
from erp_pipelines.connectors.netsuite.mapper_shared import address, currency, exchange_rate, reference
from erp_pipelines.connectors.netsuite.mapper_tax import Taxes
from erp_pipelines.connectors.text import clean
from erp_pipelines.domain.orders import ZERO, Order
from erp_pipelines.domain.payments import PaymentStatus

# The bookkeeper's once the document stands: its approval, form and currency are not set again.
AT_CREATION_ONLY = frozenset({"orderStatus", "customForm", "currency", "exchangeRate"})


def sale(order: Order, refs: Mapping[Ref, str], books: Books) -> dict[str, Any]:
    """The document of a completed order, complete with lines: the same for create and update; its total is the order's."""
    own, taxes, key = books.own, Taxes.of(order, books), order_key(order, books)
    is_invoice = books.document == "invoice"
    form = own.custom_form_ids.invoice if is_invoice else own.custom_form_ids.sales_order
    body = {
        "entity": reference(external_id(refs, Ref("Customer", order.customer_id), DISPLAY_NAME)),
        # Always: left out, NetSuite would take its own day.
        "tranDate": order.order_date.isoformat(),
        "dueDate": order.due_date.isoformat() if order.due_date else None,
        "orderStatus": None if is_invoice else reference(own.order_status),
        "customForm": reference(form),
        "location": reference(own.location_id),
        "department": reference(own.department_id),
        "class": reference(own.class_id),
        "otherRefNum": clean(order.po_number, books.config.po_length),
        "memo": _memo(order, books, shown="otherRefNum" not in key.fields),
        "shippingAddress": address(order.ship_to, books),
        "item": {"items": lines(order, refs, books, taxes)},
    }
    return {
        **set_only(body),
        **currency(order.currency, books),
        **exchange_rate(order.currency, order.exchange_rate, books),
        **_shipping(order, books, taxes),
        **_discount(order, books),
        **taxes.fields(shipping_is_line=shipping_is_line(books)),
        **own.order_fields,
        **key.fields,
    }


def replaced(books: Books) -> tuple[str, ...]:
    """The sublists that a document has exactly as they are sent, whatever stood there."""
    return ("item", "taxDetails") if books.suite_tax else ("item",)


def changes(body: Mapping[str, Any], books: Books) -> dict[str, Any]:
    """What an update sends of a body that was made for a create: money that the order has no longer is taken back."""
    gone: dict[str, Any] = {"discountItem": None, "discountRate": None} if books.own.discount_item_id else {}
    gone |= {"shippingCost": ZERO} if books.own.ship_method_id and not shipping_is_line(books) else {}
    return {**gone, **{name: part for name, part in body.items() if name not in AT_CREATION_ONLY}}


def wants_invoice(order: Order, books: Books) -> bool:
    """Whether the sales order is to be billed, by the tenant's settings."""
    when = books.own.transform_to_invoice
    return when == "always" or (when == "whenPaid" and order.payment_status is PaymentStatus.PAID)


def _memo(order: Order, books: Books, *, shown: bool) -> str:
    """The shop's number first, then the customer's where its field is taken, then the memo."""
    purchase = "" if shown or not order.po_number else f"PO {order.po_number}"
    return clean(
        " · ".join(part for part in (f"Order {order.number}", purchase, order.memo) if part), books.config.memo_length
    )


def _shipping(order: Order, books: Books, taxes: Taxes) -> dict[str, Any]:
    """Shipping in the header, where it is no line."""
    if shipping_is_line(books) or not order.shipping.amount:
        return {}
    if not books.own.ship_method_id:
        raise setting_missing(
            "The order has shipping, and neither a shipping method nor an item for it is chosen.",
            "shipMethodId",
            "Choose a shipping item of NetSuite in the settings of the connection: shipMethodId for the order's header, or shippingItemId for a line.",
        )
    return {"shipMethod": reference(books.own.ship_method_id), "shippingCost": taxes.parts.shipping.net}


def _discount(order: Order, books: Books) -> dict[str, Any]:
    """The discount of the whole order, where its lines don't bear it; a surcharge has the other sign."""
    if not order.order_discount or is_folded(order, books):
        return {}
    rate = -order.order_discount if books.config.discount_is_negative else order.order_discount
    return {"discountItem": reference(books.own.discount_item_id), "discountRate": rate}
