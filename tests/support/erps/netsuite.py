"""Oracle NetSuite: credentials of a machine, external ids instead of request keys, changes that are only pulled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, ClassVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from erp_pipelines.access import credentials
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.connectors import registry
from erp_pipelines.connectors.http import Transport
from erp_pipelines.connectors.provider import Connector
from erp_pipelines.domain.clock import Clock
from erp_pipelines.domain.events import EntityType
from erp_pipelines.settings import Settings
from erp_twins.clock import TwinClock
from erp_twins.netsuite import NetSuiteTwin
from erp_twins.netsuite.config import TwinConfig
from erp_twins.netsuite.errors import Refused
from tests.support.erps.base import Browse, Document, Fault, StagedErp

OWN_FIELD, BILLED = "own-field", "billed"
FIELD = "custbody_shop_id"
ITEMS = ("nonInventorySaleItem", "inventoryItem", "serviceSaleItem")


class StagedNetSuite(StagedErp):
    """Orders become invoices. `billed`: they become sales orders, which the integration bills.

    `own-field`: external ids belong to another integration; a custom field tells our documents, and nothing a repeat.
    """

    provider = "netsuite"
    habits = (OWN_FIELD, BILLED)
    company = "1234567"
    types: ClassVar[Mapping[EntityType, str]] = {
        EntityType.CUSTOMER: "customer",
        EntityType.PRODUCT: ITEMS[0],
        EntityType.ORDER: "invoice",
        EntityType.PAYMENT: "customerPayment",
    }
    api = "/services/rest/(record|query)/"
    hostilities = ({"fault": "xml_throttle"}, {"fault": "stale", "method": "PATCH"})
    refusal = Refused
    token_call = "POST token"
    revocable = False
    twin: NetSuiteTwin

    def _twin(self, clock: TwinClock | None, config: dict[str, Any]) -> NetSuiteTwin:
        self.twin = NetSuiteTwin(TwinConfig(**config), clock=clock)
        self.add_company(self.company, "Harbor Foods Inc (twin)")
        return self.twin

    # --- the product's side ---

    @property
    def settings(self) -> Mapping[str, Any]:
        own: dict[str, Any] = {
            "subsidiaryId": "1", "taxScheduleId": "1", "taxCodes": {"8": "1"}, "timeZone": "America/Los_Angeles",
            "concurrency": 1, "document": "salesOrder" if self.habit == BILLED else "invoice",
        }  # fmt: skip
        own |= {"transformToInvoice": "always"} if self.habit == BILLED else {}
        own |= {"naturalKey": "customField", "naturalKeyField": FIELD} if self.habit == OWN_FIELD else {}
        return {"incomeAccountId": "5", "documentsWhen": "paid", "providerSettings": own}

    def environment(self, url: str) -> dict[str, str]:
        return {"ERP_NETSUITE_URL": url, "ERP_NETSUITE_REQUESTS_PER_MINUTE": "600000"}

    @classmethod
    def connectors(
        cls, settings: Settings, habit: str = "", *, transport: Transport | None = None, clock: Clock | None = None
    ) -> dict[str, Connector]:
        del habit  # all of it is the tenant's own settings
        return registry.connectors(netsuite=settings.netsuite(), transport=transport, clock=clock)

    @classmethod
    def bring(cls, runtime: Runtime, tenant_id: str, company: str, browse: Browse) -> dict[str, str]:
        del runtime, tenant_id, browse
        return {
            "accountId": company,
            "clientId": _client(company),
            "certificateId": f"kid-{company}",
            "privateKeyPem": KEY,
        }

    @classmethod
    def finish(cls, runtime: Runtime, tenant_id: str, brought: Mapping[str, str]) -> None:
        credentials.connect(runtime, cls.key(tenant_id), brought, "admin")

    # --- the books ---

    def add_company(self, company: str, name: str) -> None:
        self.twin.add_account(company, name=name, custom_fields=(FIELD,))
        self.twin.add_integration(_client(company), account=company)
        self.twin.add_certificate(_client(company), CERTIFICATE, kid=f"kid-{company}")

    def books(self, company: str = "") -> dict[EntityType, list[Document]]:
        with self.twin.lock:
            return {entity: list(self._documents(entity, company, inactive=False)) for entity in self.types}

    def ever(self, entity: EntityType, company: str = "") -> list[Document]:
        with self.twin.lock:
            return list(self._documents(entity, company, inactive=True))

    def _documents(self, entity: EntityType, company: str, *, inactive: bool) -> Iterator[Document]:
        account = self.twin.account(company or self.company)
        kinds = {EntityType.PRODUCT: ITEMS, EntityType.ORDER: (self._order_type,)}.get(entity, (self.types[entity],))
        for kind in kinds:
            for row in account.rows(kind):
                if inactive or not row.get("isInactive"):
                    yield self._document(entity, kind, row, account)

    @property
    def _order_type(self) -> str:
        return "salesOrder" if self.habit == BILLED else "invoice"

    def _document(self, entity: EntityType, kind: str, row: Mapping[str, Any], account: Any) -> Document:
        names = {EntityType.CUSTOMER: "entityId", EntityType.PRODUCT: "itemId"}
        total = Decimal(str(row.get("total") or row.get("payment") or 0))
        return Document(
            entity,
            kind,
            str(row["id"]),
            _mark(row),
            name=str(row.get(names.get(entity, "tranId"), "")),
            text=str(row.get("memo", "")),
            total=total,
            balance=self._balance(kind, row, total, account),
            void=bool(row.get("_voided") or row.get("_cancelled")),
        )

    def _balance(self, kind: str, row: Mapping[str, Any], total: Decimal, account: Any) -> Decimal:
        """Of a sales order: what is not billed, and what its invoices are still owed."""
        if kind != "salesOrder":
            return Decimal(str(row.get("amountRemaining", 0)))
        billed = [one for one in account.rows("invoice") if one.get("createdFrom") == row["id"]]
        paid = [Decimal(str(one["total"])) - Decimal(str(one["amountRemaining"])) for one in billed]
        return total - sum(paid, Decimal(0))

    # --- its people ---

    def pays(self, document: Document, amount: Decimal | None = None, company: str = "") -> str:
        with self.twin.person(company or self.company) as person:
            return str(person.pay(self._invoice_of(document, company), amount)["id"])

    def _invoice_of(self, document: Document, company: str) -> str:
        if document.type == "invoice":
            return document.id
        invoices = self.twin.account(company or self.company).rows("invoice")
        found = [str(row["id"]) for row in invoices if row.get("createdFrom") == document.id]
        if not found:
            raise Refused(400, "USER_ERROR", "no_record")
        return found[0]

    def notes(self, document: Document, text: str, company: str = "") -> None:
        with self.twin.person(company or self.company) as person:
            person.edit(document.type, document.id, {"message": text})

    def voids(self, document: Document, company: str = "") -> None:
        with self.twin.person(company or self.company) as person:
            person.void(document.type, document.id)

    def deletes_payment(self, payment_id: str, company: str = "") -> None:
        with self.twin.person(company or self.company) as person:
            person.delete("customerPayment", payment_id)

    def switches_off(self, product: Document, company: str = "") -> None:
        with self.twin.person(company or self.company) as person:
            person.deactivate(product.type, product.id)

    def switches_on_all(self, company: str = "") -> None:
        with self.twin.person(company or self.company) as person:
            for kind in ITEMS:
                for row in self.twin.account(company or self.company).rows(kind):
                    if row.get("isInactive"):
                        person.edit(kind, str(row["id"]), {"isInactive": False})

    # --- its trouble and its tokens ---

    @classmethod
    def writes(cls, entity: EntityType, *, new: bool, habit: str = "") -> Fault:
        kind = "salesOrder" if habit == BILLED and entity is EntityType.ORDER else cls.types[entity]
        created = "create" if habit == OWN_FIELD else "upsert"
        return {"entity": kind, "operation": created if new else "update"}

    def ends_access(self, company: str = "") -> None:
        self.twin.access.expire_bearers(company or self.company)

    def takes(self, token: str) -> bool:
        held = self.twin.access.bearers.get(token)
        return held is not None and dt.datetime.fromisoformat(held.expires) > self.twin.clock.now()

    def live_grants(self) -> int:
        """Certificates: nobody but NetSuite's admin ends one."""
        return sum(one.account == self.company for one in self.twin.access.certificates.values())


def _client(company: str) -> str:
    return f"shop-{company}"


def _mark(row: Mapping[str, Any]) -> str | None:
    """Our id in an external id or the field of ours; those of the tests need no escaping."""
    written = str(row.get(FIELD) or row.get("externalId") or "")
    return written.split("-", 2)[2] if written.startswith("shop-") else None


def _key_and_certificate() -> tuple[str, str]:
    """Of a machine; good in all years that tests play in."""
    key, pem = ec.generate_private_key(ec.SECP256R1()), serialization.Encoding.PEM
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.example.com")])
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    built = built.not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    certificate = built.not_valid_after(dt.datetime(2090, 1, 1, tzinfo=dt.UTC)).sign(key, hashes.SHA256())
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private.decode(), certificate.public_bytes(pem).decode()


KEY, CERTIFICATE = _key_and_certificate()
