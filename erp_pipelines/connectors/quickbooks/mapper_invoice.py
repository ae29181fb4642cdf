"""An order as an Invoice. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from erp_pipelines.connectors.base import Ref
from erp_pipelines.connectors.mapping import external_id, set_only
from erp_pipelines.connectors.quickbooks import text
from erp_pipelines.connectors.quickbooks.company import Books
from erp_pipelines.connectors.quickbooks.config import DISPLAY_NAME
from erp_pipelines.connectors.quickbooks.mapper_lines import has_discount_line, lines
from erp_pipelines.connectors.quickbooks.mapper_shared import (
    NOTE_LENGTH,
    address,
    currency,
    dimensions,
    reference,
)
from erp_pipelines.connectors.quickbooks.mapper_tax import Taxes
from erp_pipelines.connectors.text import clean, clean_lines
from erp_pipelines.domain.orders import Order

MEMO_LENGTH, CUSTOM_FIELD_LENGTH = 1000, 31


def invoice(order: Order, refs: Mapping[Ref, str], books: Books) -> dict[str, Any]:
    """The Invoice of a completed order, complete with lines: the same for create and update."""
    taxes = Taxes.of(order, books)
    return set_only(
        {
            "CustomerRef": reference(external_id(refs, Ref("Customer", order.customer_id), DISPLAY_NAME)),
            "DocNumber": text.document_number(order.number) if books.custom_txn_numbers else None,
            # Always: left out, QuickBooks would take its server's date, in Pacific time.
            "TxnDate": order.order_date.isoformat(),
            "DueDate": order.due_date.isoformat() if order.due_date else None,
            **currency(order.currency, order.exchange_rate, books),
            "Line": lines(order, refs, books, taxes),
            **taxes.fields(discounted=has_discount_line(order, books, taxes)),
            **dimensions(books),
            "ShipAddr": address(order.ship_to),
            "PrivateNote": _private_note(order, books),
            **_purchase_order(order, books),
        }
    )


def _private_note(order: Order, books: Books) -> str:
    """The mark first, then the number where the document cannot show it whole, then the memo."""
    shown = books.custom_txn_numbers and text.document_number(order.number) == order.number
    note = [text.mark(order.id), "" if shown else f"Order {order.number}", order.memo or ""]
    return clean_lines("\n".join(note), NOTE_LENGTH)


def _purchase_order(order: Order, books: Books) -> dict[str, Any]:
    """The customer's own number: in the custom field that is configured for it, else in the memo the customer reads."""
    if not order.po_number:
        return {}
    definition = books.config.po_custom_field
    if not definition:
        return {"CustomerMemo": {"value": clean(f"PO {order.po_number}", MEMO_LENGTH)}}
    value = clean(order.po_number, CUSTOM_FIELD_LENGTH)
    return {"CustomField": [{"DefinitionId": definition, "Type": "StringType", "StringValue": value}]}
