"""NetSuite as the engine sees it: the order of steps, nothing else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from erp_pipelines.connectors.base import (
    Candidate,
    ChangePage,
    ConnectionFacts,
    ExternalRef,
    Finding,
    Lent,
    Pushed,
    Ref,
    TokenSource,
    Truth,
    Write,
)
from erp_pipelines.connectors.calling import SystemClock, lent_for_once
from erp_pipelines.connectors.doubt import doubt_kept, wait_out
from erp_pipelines.connectors.http import ErpHttp, Profile, Transport
from erp_pipelines.connectors.mapping import refund_by_hand, requirements
from erp_pipelines.connectors.netsuite import changes, company, mapper
from erp_pipelines.connectors.netsuite.accounts import Account
from erp_pipelines.connectors.netsuite.auth import NetSuiteCredentials, authorise
from erp_pipelines.connectors.netsuite.choices import choices
from erp_pipelines.connectors.netsuite.client import NetSuiteClient
from erp_pipelines.connectors.netsuite.config import DISPLAY_NAME, NetSuiteConfig
from erp_pipelines.connectors.netsuite.documents import Documents
from erp_pipelines.connectors.netsuite.faults import THROTTLE_MARKS
from erp_pipelines.connectors.netsuite.inspection import company_name, currency_rows, subsidiaries
from erp_pipelines.connectors.netsuite.names import Names
from erp_pipelines.connectors.netsuite.preflight import Preflight
from erp_pipelines.connectors.netsuite.settings import NetSuiteSettings
from erp_pipelines.connectors.netsuite.settings_check import check
from erp_pipelines.connectors.netsuite.truth import read_truth
from erp_pipelines.connectors.provider import Choice, InFlight, Kinds
from erp_pipelines.domain.clock import Clock
from erp_pipelines.domain.connections import ConnectionSettings, DocumentsWhen
from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.events import CanonicalRecord, EntityType
from erp_pipelines.domain.orders import Order
from erp_pipelines.domain.payments import Payment
from erp_pipelines.domain.products import Product
from erp_pipelines.domain.refunds import Refund

PROVIDER = "netsuite"
STAY_ORDERS = "Orders stay sales orders, which take no payments (setting transformToInvoice)."
KINDS = Kinds(
    entities={
        "customer": EntityType.CUSTOMER,
        "inventoryItem": EntityType.PRODUCT,
        "nonInventorySaleItem": EntityType.PRODUCT,
        "serviceSaleItem": EntityType.PRODUCT,
        "salesOrder": EntityType.ORDER,
        "invoice": EntityType.ORDER,
        "customerPayment": EntityType.PAYMENT,
        "creditMemo": EntityType.PAYMENT,
        "customerDeposit": EntityType.PAYMENT,
        "depositApplication": EntityType.PAYMENT,
    },
    money=frozenset(
        {
            "salesOrder",
            "invoice",
            "customerPayment",
            "creditMemo",
            "customerDeposit",
            "depositApplication",
            "customerRefund",
        }
    ),
)


class NetSuiteConnector:
    """Every account at NetSuite; their connections share a pool of HTTP connections."""

    provider = PROVIDER
    display_name = DISPLAY_NAME
    kinds = KINDS
    documents_when: DocumentsWhen = "confirmed"
    oauth = None
    webhooks = None
    settings_model = NetSuiteSettings

    def __init__(
        self, config: NetSuiteConfig, *, transport: Transport | None = None, clock: Clock | None = None
    ) -> None:
        self._config = config
        self._http = ErpHttp(_profile(config), transport=transport)
        self._clock = clock or SystemClock()
        self.credentials = NetSuiteCredentials(config, self._http, self._clock)

    def session(self, connection: ConnectionFacts, lent: Lent) -> NetSuiteSession:
        return NetSuiteSession(self._config, self._http, connection, lent)

    def check_settings(
        self, connection: ConnectionFacts, after: ConnectionSettings, tokens: TokenSource
    ) -> Mapping[str, Any]:
        """What is read is only checked: no facts come of it."""
        check(self._client_for_once(connection, tokens), connection.settings, after)
        return {}

    def choices(self, connection: ConnectionFacts, tokens: TokenSource) -> dict[str, tuple[Choice, ...]]:
        return choices(self._client_for_once(connection, tokens))

    def _client_for_once(self, connection: ConnectionFacts, tokens: TokenSource) -> NetSuiteClient:
        lent = replace(lent_for_once("", self._clock), tokens=tokens)
        account = Account.parse(connection.company_id)
        return NetSuiteClient(self._config, self._http, account, lent, authorise=authorise(self._clock))

    def in_flight(self, connection: ConnectionFacts) -> InFlight:
        return company.in_flight(connection, self._config)

    def document_url(self, connection: ConnectionFacts, ref: ExternalRef) -> str | None:
        page = self._config.page(Account.parse(connection.company_id), ref.external_type)
        return f"{page}{quote(ref.external_id, safe='')}" if page else None


class NetSuiteSession:
    """One account, spoken to by one worker, from several of its threads at a time."""

    def __init__(self, config: NetSuiteConfig, http: ErpHttp, connection: ConnectionFacts, lent: Lent) -> None:
        self._config, self._lent = config, lent
        self._books = company.books(connection, config)
        self._client = NetSuiteClient(config, http, self._books.account, lent, authorise=authorise(lent.clock))

    def unwanted(self, record: CanonicalRecord) -> str | None:
        """A payment settles an invoice: where orders stay sales orders there is none of ours."""
        stays = self._books.document == "salesOrder" and self._books.own.transform_to_invoice == "never"
        return STAY_ORDERS if isinstance(record, Payment) and stays else None

    def requirements(self, record: CanonicalRecord) -> tuple[Ref, ...]:
        return requirements(record, self._books.own.line_items)

    def body(self, record: CanonicalRecord, refs: Mapping[Ref, str]) -> dict[str, Any]:
        return mapper.body(record, refs, self._books)

    def push(self, write: Write) -> Pushed:
        with doubt_kept(write):
            return self._push(write)

    def find(self, write: Write) -> Pushed | None:
        """By external id or the tenant's own key; believed absent only when NetSuite cannot be at work on it any more."""
        found = self._found(write)
        if found is None:
            wait_out(write, self._config.doubt_seconds, self._now)
        return found

    def preflight(self, candidates: Sequence[Candidate]) -> tuple[Finding, ...]:
        return Preflight(self._client, self._books).findings(candidates)

    def truth(self, refs: Sequence[ExternalRef]) -> Truth:
        return read_truth(self._client, self._books, refs, self._now)

    def company_name(self) -> str:
        if self._books.one_world:
            return company_name(subsidiaries(self._client), self._books.account.id)
        currency_rows(self._client)
        return company_name({}, self._books.account.id)

    def streams(self) -> tuple[str, ...]:
        return changes.STREAMS

    def changes(self, stream: str, cursor: str | None, since: dt.datetime) -> ChangePage:
        return changes.Pull(self._client, self._config, self._books.zone, self._now).page(stream, cursor, since)

    @property
    def _now(self) -> dt.datetime:
        return self._lent.clock.now()

    def _push(self, write: Write) -> Pushed:
        match write.record:
            case Customer() as customer:
                return Names(self._client, self._books).push_customer(write, customer)
            case Product() as product:
                return Names(self._client, self._books).push_item(write, product)
            case Order() as order:
                return self._documents().push_order(write, order)
            case Payment() as payment:
                return self._documents().push_payment(write, payment)
            case Refund() as refund:
                raise refund_by_hand(refund, DISPLAY_NAME)

    def _found(self, write: Write) -> Pushed | None:
        match write.record:
            case Customer() as customer:
                return Names(self._client, self._books).find_customer(customer)
            case Product() as product:
                return Names(self._client, self._books).find_item(product)
            case Order() as order:
                return self._documents().find_order(order)
            case Payment() as payment:
                return self._documents().find_payment(payment)
            case Refund() as refund:
                raise refund_by_hand(refund, DISPLAY_NAME)

    def _documents(self) -> Documents:
        return Documents(self._client, self._books, self._now)


def _profile(config: NetSuiteConfig) -> Profile:
    """Without addresses: each account has its own, see `ErpHttp.only_to`."""
    return Profile(
        provider=DISPLAY_NAME,
        base_urls=(),
        request_id_header="x-n-operationid",
        throttle_marks=THROTTLE_MARKS,
        pause_seconds=config.pause_seconds,
        patience=config.patience,
        write_seconds=config.write_seconds,
    )
