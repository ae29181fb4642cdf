"""Invoices that are made of sales orders."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from erp_pipelines.connectors.base import Write
from erp_pipelines.connectors.doubt import wait_out
from erp_pipelines.connectors.mapping import set_only
from erp_pipelines.connectors.netsuite.client import NetSuiteClient
from erp_pipelines.connectors.netsuite.company import Books
from erp_pipelines.connectors.netsuite.keys import own_external_id
from erp_pipelines.connectors.netsuite.mapper_shared import reference
from erp_pipelines.connectors.netsuite.pushing import may_exist
from erp_pipelines.connectors.netsuite.statuses import OPEN_INVOICE, is_over, letter
from erp_pipelines.connectors.netsuite.wire import SaleDoc
from erp_pipelines.domain.errors import Rejected
from erp_pipelines.domain.orders import Order


@dataclass(frozen=True)
class Invoice:
    """One that stands."""

    id: str
    status: str
    total: Decimal

    @property
    def open(self) -> bool:
        return self.status == OPEN_INVOICE


@dataclass(frozen=True)
class Billing:
    """Bills for one account, at one moment."""

    client: NetSuiteClient
    books: Books
    now: dt.datetime

    def invoices_of(self, order_id: str) -> list[Invoice]:
        """The invoices of a sales order that were not voided, the oldest first."""
        rows = self.client.by_ids(
            "SELECT DISTINCT t.id, t.status, t.foreigntotal FROM nexttransactionlinelink l JOIN transaction t ON t.id = l.nextdoc "
            "WHERE l.previousdoc IN ({ids}) AND t.type = 'CustInvc' ORDER BY t.id",
            [order_id],
        )
        found = [
            Invoice(row["id"], letter(row.get("status", "")), Decimal(row.get("foreigntotal", "0"))) for row in rows
        ]
        return sorted((one for one in found if not is_over(one.status, "invoice")), key=lambda one: int(one.id))

    def bill(self, write: Write, order_id: str, order: Order, *, look: bool) -> None:
        """Make the invoice of a sales order, or of what came to it since; `look`: there may be invoices.

        Raises Rejected where NetSuite does not bill the order yet (an approval or a fulfilment is missing), or where the
        invoices do not come to the order's total.
        """
        standing = self.invoices_of(order_id) if look else []
        if standing and _billed(standing) >= order.amount_due:
            return _agree(standing, order)
        try:
            ident = self._transform(write, order_id, order, len(standing) + 1)
        except Rejected as refused:
            if not may_exist(refused) or len(found := self.invoices_of(order_id)) == len(standing):
                raise
            return _agree(found, order)
        total = self.client.read(SaleDoc, "invoice", ident, ("total",)).total
        return _agree([*standing, Invoice(ident, "", total)], order)

    def _transform(self, write: Write, order_id: str, order: Order, number: int) -> str:
        """By an external id of ours the same invoice is never made twice; else an earlier try must be over first."""
        key = own_external_id("invoice" if number == 1 else f"invoice_{number}", order.id, self.books)
        if key is None and write.in_doubt:
            wait_out(write, self.books.config.doubt_seconds, self.now)
        form = self.books.own.custom_form_ids.invoice
        ident, _ = self.client.transform(
            "salesOrder", order_id, "invoice", set_only({"externalId": key, "customForm": reference(form)})
        )
        return ident


def _billed(invoices: list[Invoice]) -> Decimal:
    return sum((one.total for one in invoices), Decimal(0))


def _agree(invoices: list[Invoice], order: Order) -> None:
    difference = _billed(invoices) - order.amount_due
    if difference:
        numbers = ", ".join(one.id for one in invoices)
        raise Rejected(
            f"What is invoiced of order {order.number} in NetSuite (invoice {numbers}) differs from it by {difference}.",
            cause="total-differs",
            mend="Look at the taxes, discounts and credits of the order's invoices in NetSuite, correct them, and retry.",
            definitive=False,
        )
