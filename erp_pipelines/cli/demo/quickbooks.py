"""QuickBooks' part of the demo: the consent page, invoices, and a payment that comes back by webhook."""

from __future__ import annotations

import time
from decimal import Decimal

from erp_pipelines.cli.demo import data
from erp_pipelines.cli.demo.scene import Story, check_totals
from erp_pipelines.cli.demo.telling import done, head, until
from erp_pipelines.cli.web import Web, follow

REALM = "9130350000000001"


class QuickBooksScene:
    provider, name, document = "quickbooks", "QuickBooks", "invoice"

    def __init__(self, twin_url: str) -> None:
        self.door, self._twin = f"{twin_url}/", Web(twin_url)

    def connect(self, story: Story) -> None:
        head("Connect QuickBooks")
        if not story.connected(self.provider):
            url = story.api.get("/api/integrations/quickbooks/authorize")["url"]
            follow(f"{url}&twin_approve={REALM}")
        connection = story.api.get("/api/integrations/connections/quickbooks")
        story.check(bool(connection["isConnected"]), "QuickBooks is connected")
        # Invoices for confirmed orders: so one can stand open and be paid in QuickBooks.
        story.api.put("/api/integrations/connections/quickbooks/settings", {"documentsWhen": "confirmed"})
        done(f"connected to [bold]{connection['companyName']}[/] through its consent page")

    def pay(self, story: Story, order_id: str) -> None:
        head("Accounting receives a payment in QuickBooks")
        before = story.payment_status(order_id)
        story.check(before == "unpaid", f"order {order_id} is unpaid before (it is {before})")
        self._twin.post(f"/_twin/companies/{REALM}/payments", {"docNumber": order_id})
        done(f"payment of invoice {order_id} entered there; the webhook is on its way")
        began = time.monotonic()
        paid = until(lambda: story.payment_status(order_id) == "paid")
        story.check(bool(paid), f"order {order_id} turns paid")
        if paid:
            done(f"order [bold]{order_id}[/] is paid in the shop too  ({time.monotonic() - began:.1f} s)")

    def check_books(self, story: Story) -> None:
        """Every order once, to the cent, closed by its payment where that was entered in the shop or here."""
        ledger = self._twin.get("/_twin/ledger", realm=REALM)["documents"]
        mine = [invoice for invoice in ledger.get("Invoice", []) if str(invoice.get("DocNumber", "")).startswith("D-")]
        cents = Decimal("0.01")
        totals = ((i["DocNumber"], Decimal(str(i["TotalAmt"])).quantize(cents)) for i in mine)
        check_totals(story, self, totals)
        left = {invoice["DocNumber"] for invoice in mine if invoice.get("Balance")}
        left -= set(data.paid_in(story.env.orders_made, "netsuite"))
        story.check(not left, f"every invoice is closed by its payment (open: {', '.join(sorted(left))})")
