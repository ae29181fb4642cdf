"""Cents that QuickBooks computes otherwise than the shop: made up for on a line of their own, where the tenant wants it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from erp_pipelines.connectors.base import Write
from erp_pipelines.connectors.quickbooks.client import Got, QuickBooksClient
from erp_pipelines.connectors.quickbooks.company import Books
from erp_pipelines.connectors.quickbooks.mapper_lines import plain_line
from erp_pipelines.connectors.quickbooks.mapper_tax import Taxes
from erp_pipelines.connectors.quickbooks.wire import InvoiceDoc
from erp_pipelines.domain.errors import AnswerLost, Rejected, StaleVersion, Transient
from erp_pipelines.domain.orders import Order


def made_up(
    client: QuickBooksClient, books: Books, write: Write, order: Order, body: Mapping[str, Any], got: Got[InvoiceDoc]
) -> tuple[Got[InvoiceDoc], str]:
    """The document with the order's total, and what was done to it; as it was where nobody wants that or it is too far off.

    A document that stands must not get lost over this: what fails for now is AnswerLost, so that it is found again and
    the line added then; what QuickBooks refuses leaves a total that differs, which is told as such.
    """
    difference, item = order.amount_due - got.doc.total_amt, books.own.rounding_item_id
    if not difference or item is None or abs(difference) > books.own.rounding_limit:
        return got, ""
    said = f"Rounding: QuickBooks comes to {got.doc.total_amt}, the shop to {order.amount_due}"
    line = plain_line(difference, item, said, Taxes.of(order, books))
    version, whole = got.doc.sync_token, {**body, "Line": [*body["Line"], line]}
    key = write.key(f"rounding:{version}")
    try:
        after = client.update(InvoiceDoc, "Invoice", whole, key, external_id=got.doc.id, sync_token=version)
    except Rejected:
        return got, ""
    except (StaleVersion, Transient) as error:
        raise AnswerLost(
            f"The document stands, its rounding line may not: {error.message}", mend=error.mend, erp_code=error.erp_code
        ) from None
    return after, f"{said}: {difference} stands on a line of its own."
