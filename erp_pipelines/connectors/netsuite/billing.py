"""Invoices that are made of sales orders."""

from __future__ import annotations

from dataclasses import dataclass

from erp_pipelines.connectors.mapping import set_only
from erp_pipelines.connectors.netsuite.client import NetSuiteClient
from erp_pipelines.connectors.netsuite.company import Books
from erp_pipelines.connectors.netsuite.keys import own_external_id
from erp_pipelines.connectors.netsuite.mapper_shared import reference
from erp_pipelines.connectors.netsuite.pushing import may_exist
from erp_pipelines.connectors.netsuite.statuses import is_over, letter
from erp_pipelines.connectors.netsuite.wire import SaleDoc
from erp_pipelines.domain.errors import Rejected
from erp_pipelines.domain.orders import Order


@dataclass(frozen=True)
class Billing:
    """Bills for one account."""

    client: NetSuiteClient
    books: Books

    def invoices_of(self, order_id: str) -> dict[str, str]:
        """The invoices of a sales order that were not voided: the letter of their status by their id."""
        rows = self.client.by_ids(
            "SELECT DISTINCT t.id, t.status FROM nexttransactionlinelink l JOIN transaction t ON t.id = l.nextdoc "
            "WHERE l.previousdoc IN ({ids}) AND t.type = 'CustInvc' ORDER BY t.id",
            [order_id],
        )
        found = {row["id"]: letter(row.get("status", "")) for row in rows}
        return {ident: status for ident, status in found.items() if not is_over(status, "invoice")}

    def bill(self, order_id: str, order: Order, *, look: bool) -> None:
        """Make the invoice of a sales order, unless there is one; `look`: there may be.

        Raises Rejected where NetSuite does not bill the order yet (an approval or a fulfilment is missing), or where the
        invoice does not come to the order's total.
        """
        if look and self.invoices_of(order_id):
            return
        form = self.books.own.custom_form_ids.invoice
        body = set_only({"externalId": own_external_id("invoice", order.id, self.books), "customForm": reference(form)})
        try:
            ident, _ = self.client.transform("salesOrder", order_id, "invoice", body)
        except Rejected as refused:
            if may_exist(refused) and self.invoices_of(order_id):
                return
            raise
        total = self.client.read(SaleDoc, "invoice", ident, ("total",)).total
        if total != order.amount_due:
            raise _differs(ident, order, total - order.amount_due)


def _differs(ident: str, order: Order, difference: object) -> Rejected:
    return Rejected(
        f"Invoice {ident}, made of the sales order of order {order.number}, differs from it by {difference}.",
        cause="total-differs",
        mend="Look at the invoice's taxes and discounts in NetSuite, correct them, and retry.",
        definitive=False,
    )
