"""QuickBooks Online: consent in a browser, request keys, webhooks."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, ClassVar

from erp_pipelines.access import consent
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.connectors import registry
from erp_pipelines.connectors.http import Transport
from erp_pipelines.connectors.provider import Connector
from erp_pipelines.domain.clock import Clock
from erp_pipelines.domain.events import EntityType
from erp_pipelines.settings import Settings
from erp_twins.clock import TwinClock
from erp_twins.http import Request
from erp_twins.quickbooks import QuickBooksTwin, TwinConfig
from erp_twins.quickbooks.faults import QboFault
from tests.support.erps.base import Browse, Document, Fault, StagedErp

CLIENT = ("acceptance-app", "acceptance-secret")
VERIFIER = "acceptance-verifier"
KEYLESS = "keyless"
BATCHES = "batches"
_MARK = re.compile(r"(?<!\S)PrometheusId:(\S+)")


class StagedQuickBooks(StagedErp):
    """`keyless`: QuickBooks forgets request keys, and the connector does not rely on them.

    `batches`: as few as two records go together.
    """

    provider = "quickbooks"
    habits = (KEYLESS, BATCHES)
    batching = BATCHES
    company = "9130350000000001"
    types: ClassVar[Mapping[EntityType, str]] = {
        EntityType.CUSTOMER: "Customer",
        EntityType.PRODUCT: "Item",
        EntityType.ORDER: "Invoice",
        EntityType.PAYMENT: "Payment",
        EntityType.REFUND: "RefundReceipt",
    }
    refunds: ClassVar[Mapping[str, Any] | None] = {"providerSettings": {"refundAccountId": "1"}}
    api = "/v3/"
    hostilities = ({"fault": "xml_throttle"}, {"fault": "stale", "method": "POST"})
    refusal = QboFault
    token_call = "POST bearer"
    replacing: ClassVar[Fault | None] = {"rotation": "every_refresh"}
    tells = True
    twin: QuickBooksTwin

    def _twin(self, clock: TwinClock | None, config: dict[str, Any]) -> QuickBooksTwin:
        switches = {"throttle": False, "webhook_verifier_token": VERIFIER, "honour_requestid": self.habit != KEYLESS}
        twin = QuickBooksTwin(TwinConfig(**{**switches, **config}), clock=clock)
        twin.add_app(*CLIENT, (f"{self.public_url}/api/integrations/quickbooks/callback",), "Acceptance")
        return twin

    # --- the product's side ---

    def environment(self, url: str) -> dict[str, str]:
        return {
            "ERP_QUICKBOOKS_CLIENT_ID": CLIENT[0],
            "ERP_QUICKBOOKS_CLIENT_SECRET": CLIENT[1],
            "ERP_QUICKBOOKS_WEBHOOK_VERIFIER_TOKEN": VERIFIER,
            "ERP_QUICKBOOKS_API_URL": url,
            "ERP_QUICKBOOKS_AUTHORIZE_URL": f"{url}/connect/oauth2",
            "ERP_QUICKBOOKS_TOKEN_URL": f"{url}/oauth2/v1/tokens/bearer",
            "ERP_QUICKBOOKS_REVOKE_URL": f"{url}/v2/oauth2/tokens/revoke",
            "ERP_QUICKBOOKS_REQUESTS_PER_MINUTE": "600000",
        }

    @classmethod
    def connectors(
        cls, settings: Settings, habit: str = "", *, transport: Transport | None = None, clock: Clock | None = None
    ) -> dict[str, Connector]:
        config = settings.quickbooks()
        assert config
        least = 2 if habit == BATCHES else 8
        config = replace(config, honour_requestid=habit != KEYLESS, batch_size=30, batch_least=least)
        return registry.connectors(quickbooks=config, transport=transport, clock=clock)

    @classmethod
    def bring(cls, runtime: Runtime, tenant_id: str, company: str, browse: Browse) -> dict[str, str]:
        url = consent.begin(runtime, tenant_id, "admin", cls.provider)
        target = browse(f"{url}&twin_approve={company}")
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(target).query))

    @classmethod
    def finish(cls, runtime: Runtime, tenant_id: str, brought: Mapping[str, str]) -> None:
        consent.finish(
            runtime, cls.provider, code=brought["code"], company_id=brought["realmId"], state=brought["state"],
            user_id="admin",
        )  # fmt: skip

    def browse(self, url: str) -> str:
        return str(self.twin.handle(Request.make("GET", url, {}, b"")).header("location"))

    # --- the books ---

    def add_company(self, company: str, name: str) -> None:
        self.twin.add_company(company, name=name)

    def books(self, company: str = "") -> dict[EntityType, list[Document]]:
        documents = self.twin.ledger(company or self.company).documents
        return {
            entity: [_document(entity, kind, row) for row in documents.get(kind, [])]
            for entity, kind in self.types.items()
        }

    def ever(self, entity: EntityType, company: str = "") -> list[Document]:
        kind = self.types[entity]
        with self.twin.lock:
            return [_document(entity, kind, row) for row in self.twin.company(company or self.company).rows(kind)]

    # --- its people ---

    def pays(self, document: Document, amount: Decimal | None = None, company: str = "") -> str:
        with self.twin.person(company or self.company) as person:
            return str(person.pay(invoice_id=document.id, amount=amount)["Id"])

    def notes(self, document: Document, text: str, company: str = "") -> None:
        with self.twin.person(company or self.company) as person:
            person.edit(document.type, document.id, {"CustomerMemo": {"value": text}})

    def voids(self, document: Document, company: str = "") -> None:
        with self.twin.person(company or self.company) as person:
            person.void(document.type, document.id)

    def deletes_payment(self, payment_id: str, company: str = "") -> None:
        with self.twin.person(company or self.company) as person:
            person.delete("Payment", payment_id)

    def switches_off(self, product: Document, company: str = "") -> None:
        with self.twin.person(company or self.company) as person:
            person.deactivate(product.type, product.id)

    def switches_on_all(self, company: str = "") -> None:
        with self.twin.person(company or self.company) as person:
            for row in self.twin.company(company or self.company).rows("Item"):
                if not row.get("Active", True):
                    person.edit("Item", row["Id"], {"Active": True})

    # --- its trouble, its tokens, what it tells ---

    @classmethod
    def writes(cls, entity: EntityType, *, new: bool, habit: str = "") -> Fault:
        del habit
        return {"entity": cls.types[entity], "operation": "create" if new else "update"}

    def silence(self, entity: EntityType, *, new: bool) -> None:
        """Whichever way it goes: alone, or in a batch."""
        super().silence(entity, new=new)
        if self.habit == BATCHES:
            self.twin.add_fault("drop_after_commit", operation="batch", times=1)
            self.twin.add_fault("drop_before_commit", operation="batch", times=None)

    def ends_access(self, company: str = "") -> None:
        self.twin.grants.expire_access(company or self.company)

    def takes(self, token: str) -> bool:
        return not isinstance(self.twin.grants.bearer(token), str)

    def live_grants(self) -> int:
        return sum(grant.alive for grant in self.twin.grants.grants.values())

    def tidings(self) -> list[tuple[dict[str, str], bytes]]:
        found = self.twin.due_webhooks(flush=True)
        for delivery in found:
            self.twin.settle_webhook(delivery)
        return [({name.lower(): value for name, value in one.headers.items()}, one.body) for one in found]


def _document(entity: EntityType, kind: str, row: Mapping[str, Any]) -> Document:
    note = str(row.get("PrivateNote", ""))
    mark = _MARK.search(f"{note} {row.get('Notes', '')}")
    return Document(
        entity,
        kind,
        row["Id"],
        mark.group(1) if mark else None,
        name=str(row.get("DisplayName") or row.get("Name") or row.get("DocNumber", "")),
        text=note,
        total=Decimal(str(row.get("TotalAmt", 0))),
        balance=Decimal(str(row.get("Balance", 0))),
        void=note.startswith("Voided"),
    )
