"""A refund as a RefundReceipt (the money has left) or a CreditMemo (the customer has it to his credit). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from erp_pipelines.connectors.base import Ref
from erp_pipelines.connectors.mapping import customer_of, set_only, setting_missing
from erp_pipelines.connectors.quickbooks import text
from erp_pipelines.connectors.quickbooks.company import Books
from erp_pipelines.connectors.quickbooks.config import DISPLAY_NAME
from erp_pipelines.connectors.quickbooks.mapper_lines import has_discount_line, lines, plain_line
from erp_pipelines.connectors.quickbooks.mapper_payment import deposit_account, payment_method
from erp_pipelines.connectors.quickbooks.mapper_shared import NOTE_LENGTH, currency, dimensions, reference
from erp_pipelines.connectors.quickbooks.mapper_tax import Taxes
from erp_pipelines.connectors.text import clean, clean_lines
from erp_pipelines.domain.refunds import Refund

RECEIPT, MEMO = "RefundReceipt", "CreditMemo"
RECEIPT_REFERENCE_LENGTH = 100


def entity_of(books: Books) -> str:
    """Which of the two the tenant wants."""
    return MEMO if books.own.refund_as == "creditMemo" else RECEIPT


def refund(record: Refund, refs: Mapping[Ref, str], books: Books) -> dict[str, Any]:
    """The body of a completed refund; amounts are positive. QuickBooks links neither document to the invoice: the note does."""
    taxes = Taxes.of(record, books)
    return set_only(
        {
            "CustomerRef": reference(customer_of(record.order_id, refs, DISPLAY_NAME)),
            "DocNumber": text.document_number(record.id) if books.custom_txn_numbers else None,
            "TxnDate": record.date.isoformat(),
            **currency(record.currency, record.exchange_rate, books),
            "Line": [*lines(record, refs, books, taxes), *_adjustment(record, books, taxes)],
            **taxes.fields(discounted=has_discount_line(record, books, taxes)),
            **dimensions(books),
            "PrivateNote": _note(record),
            **(_paid_out(record, books) if entity_of(books) == RECEIPT else {}),
        }
    )


def _adjustment(record: Refund, books: Books, taxes: Taxes) -> list[dict[str, Any]]:
    if not record.adjustment:
        return []
    item = books.own.refund_item_id
    if not item:
        raise setting_missing(
            f"Refund {record.id} has {record.adjustment} for none of the order's lines, and no item is chosen for that.",
            "refundItemId",
            "Choose an item for such amounts in the settings of the QuickBooks connection (providerSettings.refundItemId).",
        )
    return [plain_line(record.adjustment, item, record.reason or "Adjustment", taxes)]


def _paid_out(record: Refund, books: Books) -> dict[str, Any]:
    """Out of which account, which QuickBooks insists on."""
    account = books.own.refund_account_id or deposit_account(record.method, books)
    method = payment_method(record.method, books)
    if not account:
        raise setting_missing(
            "A refund receipt needs the account that the money leaves, and none is chosen.",
            "refundAccountId",
            "Choose it in the settings of the QuickBooks connection (providerSettings.refundAccountId), or have refunds "
            "made as credit memos (refundAs).",
        )
    return {
        "DepositToAccountRef": reference(account),
        **({"PaymentMethodRef": reference(method)} if method else {}),
        "PaymentRefNum": clean(record.reference, RECEIPT_REFERENCE_LENGTH),
    }


def _note(record: Refund) -> str:
    parts = [
        text.mark(record.id),
        f"Refund of order {record.order_number}",
        record.reason or "",
        f"Reference: {record.reference}" if record.reference else "",
        f"Method: {record.method}" if record.method else "",
    ]
    return clean_lines("\n".join(parts), NOTE_LENGTH)
