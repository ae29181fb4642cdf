"""NetSuite's part of the demo: credentials, sales orders that are billed there, and a payment that a pull finds."""

from __future__ import annotations

import time
from decimal import Decimal

from erp_pipelines.cli.demo.environment import DemoEnvironment
from erp_pipelines.cli.demo.scene import Story, check_totals
from erp_pipelines.cli.demo.telling import done, head, until
from erp_pipelines.cli.web import Web

ACCOUNT = "1234567"
CENT = Decimal("0.01")
# What the twin's account asks of its records; a real account's ids stand in its lists.
SETTINGS = {
    "incomeAccountId": "5",
    "providerSettings": {"subsidiaryId": "1", "taxScheduleId": "1", "shipMethodId": "1"},
}


class NetSuiteScene:
    provider, name, document = "netsuite", "NetSuite", "sales order"

    def __init__(self, env: DemoEnvironment) -> None:
        self.door, self._env, self._twin = f"{env.netsuite_url}/", env, Web(env.netsuite_url)

    def connect(self, story: Story) -> None:
        head("Connect NetSuite")
        if not story.connected(self.provider):
            story.api.post("/api/integrations/netsuite/connect", self._credentials())
        connection = story.api.get("/api/integrations/connections/netsuite")
        story.check(bool(connection["isConnected"]), "NetSuite is connected")
        story.api.put("/api/integrations/connections/netsuite/settings", SETTINGS)
        until_when = str(connection["credentialEndsAt"])[:10]
        done(f"connected to [bold]{connection['companyName']}[/] with a certificate that ends on {until_when}")

    def _credentials(self) -> dict[str, str]:
        return {
            "accountId": ACCOUNT,
            "authMethod": "oauth2_m2m",
            "clientId": self._env.values["DEMO_NETSUITE_CLIENT_ID"],
            "certificateId": self._env.values["DEMO_NETSUITE_CERTIFICATE_ID"],
            "privateKeyPem": self._env.netsuite_key.read_text(),
        }

    def pay(self, story: Story, order_id: str) -> None:
        head("Accounting bills an order in NetSuite and receives its payment")
        there = {ours: theirs for theirs, ours in self._orders(story, search=order_id).items()}
        story.check(order_id in there, f"order {order_id} has a mapping in NetSuite")
        invoice = self._twin.post(f"/_twin/accounts/{ACCOUNT}/bill", {"id": there[order_id]})
        self._twin.post(f"/_twin/accounts/{ACCOUNT}/payments", {"invoiceId": invoice["id"]})
        done(f"sales order {order_id} billed and paid there; NetSuite tells nobody, so Dagster pulls what changed")
        began = time.monotonic()
        paid = until(lambda: story.payment_status(order_id) == "paid")
        story.check(bool(paid), f"order {order_id} turns paid")
        if paid:
            done(f"order [bold]{order_id}[/] is paid in the shop too  ({time.monotonic() - began:.1f} s)")

    def check_books(self, story: Story) -> None:
        """Every order once, to the cent; a second sales order for one would be nobody's."""
        ledger = self._twin.get("/_twin/ledger", realm=ACCOUNT)["documents"]
        ours, found = self._orders(story), ledger.get("salesOrder", [])
        check_totals(
            story, self, ((ours.get(row["id"], "?"), Decimal(str(row["total"])).quantize(CENT)) for row in found)
        )

    def _orders(self, story: Story, **search: str) -> dict[str, str]:
        """Our order of each sales order of which we know."""
        rows = story.api.get("/api/integrations/mappings/netsuite/Order", pageSize="500", **search)["items"]
        return {row["externalId"]: row["prometheusId"] for row in rows}
