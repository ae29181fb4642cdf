"""QuickBooks as the engine sees it: the order of steps, nothing else."""

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
    NameState,
    Pushed,
    Ref,
    TokenSource,
    Truth,
    Write,
)
from erp_pipelines.connectors.calling import SystemClock, lent_for_once
from erp_pipelines.connectors.doubt import doubt_kept, wait_out
from erp_pipelines.connectors.http import ErpHttp, Profile, Transport
from erp_pipelines.connectors.mapping import requirements
from erp_pipelines.connectors.provider import Choice, InFlight, Kinds
from erp_pipelines.connectors.quickbooks import batch, changes, mapper
from erp_pipelines.connectors.quickbooks.auth import QuickBooksOAuth
from erp_pipelines.connectors.quickbooks.choices import choices
from erp_pipelines.connectors.quickbooks.client import QuickBooksClient
from erp_pipelines.connectors.quickbooks.company import books
from erp_pipelines.connectors.quickbooks.config import DISPLAY_NAME, QuickBooksConfig
from erp_pipelines.connectors.quickbooks.documents import Documents
from erp_pipelines.connectors.quickbooks.faults import THROTTLE_MARKS
from erp_pipelines.connectors.quickbooks.names import find_customer, find_item, push_customer, push_item
from erp_pipelines.connectors.quickbooks.names_back import as_there, listed, read_names
from erp_pipelines.connectors.quickbooks.preflight import Preflight
from erp_pipelines.connectors.quickbooks.refunds import Refunds
from erp_pipelines.connectors.quickbooks.settings import QuickBooksSettings
from erp_pipelines.connectors.quickbooks.settings_check import check
from erp_pipelines.connectors.quickbooks.truth import read_truth
from erp_pipelines.connectors.quickbooks.webhooks import QuickBooksWebhooks
from erp_pipelines.domain.clock import Clock
from erp_pipelines.domain.connections import ConnectionSettings, DocumentsWhen
from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.errors import ErpError
from erp_pipelines.domain.events import CanonicalRecord, EntityType
from erp_pipelines.domain.orders import Order
from erp_pipelines.domain.payments import Payment
from erp_pipelines.domain.products import Product
from erp_pipelines.domain.refunds import Refund

PROVIDER = "quickbooks"
KINDS = Kinds(
    entities={
        "Invoice": EntityType.ORDER,
        "Payment": EntityType.PAYMENT,
        "CreditMemo": EntityType.REFUND,
        "RefundReceipt": EntityType.REFUND,
        "Customer": EntityType.CUSTOMER,
        "Item": EntityType.PRODUCT,
    },
    money=frozenset({"Invoice", "Payment"}),
)
# Where people open a document; recalled, not documented.
_PAGES = {
    "Invoice": "invoice?txnId=",
    "Payment": "recvpayment?txnId=",
    "CreditMemo": "creditmemo?txnId=",
    "RefundReceipt": "refundreceipt?txnId=",
    "Customer": "customerdetail?nameId=",
}


class QuickBooksConnector:
    """One Intuit app; its connections share a pool of HTTP connections."""

    provider = PROVIDER
    display_name = DISPLAY_NAME
    kinds = KINDS
    documents_when: DocumentsWhen = "paid"
    credentials = None
    settings_model = QuickBooksSettings

    def __init__(
        self, config: QuickBooksConfig, *, transport: Transport | None = None, clock: Clock | None = None
    ) -> None:
        self._config = config
        self._http = ErpHttp(_profile(config), transport=transport)
        self._clock = clock or SystemClock()
        self.oauth = QuickBooksOAuth(config, self._http, self._clock)
        self.webhooks = QuickBooksWebhooks(config.verifier_token)

    def session(self, connection: ConnectionFacts, lent: Lent) -> QuickBooksSession:
        return QuickBooksSession(self._config, self._http, connection, lent)

    def check_settings(
        self, connection: ConnectionFacts, after: ConnectionSettings, tokens: TokenSource
    ) -> dict[str, Any]:
        client = self._client_for_once(connection, tokens)
        return check(client, connection.settings, after, in_the_us=books(connection, self._config).in_the_us)

    def choices(self, connection: ConnectionFacts, tokens: TokenSource) -> dict[str, tuple[Choice, ...]]:
        client = self._client_for_once(connection, tokens)
        return choices(client, in_the_us=books(connection, self._config).in_the_us)

    def _client_for_once(self, connection: ConnectionFacts, tokens: TokenSource) -> QuickBooksClient:
        lent = replace(lent_for_once("", self._clock), tokens=tokens)
        return QuickBooksClient(self._config, self._http, connection.company_id, lent)

    def in_flight(self, connection: ConnectionFacts) -> InFlight:  # noqa: ARG002 - Protocol
        """One: two writes at once to documents of one customer meet as stale versions."""
        return InFlight()

    def document_url(self, connection: ConnectionFacts, ref: ExternalRef) -> str | None:  # noqa: ARG002 - Protocol
        page = _PAGES.get(ref.external_type)
        return f"{self._config.app_url}/app/{page}{quote(ref.external_id, safe='')}" if page else None


class QuickBooksSession:
    """One company, spoken to by one worker at a time."""

    def __init__(self, config: QuickBooksConfig, http: ErpHttp, connection: ConnectionFacts, lent: Lent) -> None:
        self._config, self._lent = config, lent
        self._books = books(connection, config)
        self._client = QuickBooksClient(config, http, connection.company_id, lent)
        self._preflight = Preflight(self._client, self._books)

    def unwanted(self, record: CanonicalRecord) -> str | None:  # noqa: ARG002 - Protocol
        return None

    def requirements(self, record: CanonicalRecord) -> tuple[Ref, ...]:
        return requirements(record, self._books.own.line_items)

    def body(self, record: CanonicalRecord, refs: Mapping[Ref, str]) -> dict[str, Any]:
        return mapper.body(record, refs, self._books)

    def push(self, write: Write) -> Pushed:
        with doubt_kept(write):
            return self._push(write)

    @property
    def batch_size(self) -> int:
        return self._config.batch_size

    @property
    def batch_least(self) -> int:
        return self._config.batch_least

    def may_batch(self, write: Write) -> bool:
        return batch.may_batch(write, self._books)

    def push_batch(self, writes: Sequence[Write]) -> list[Pushed | ErpError]:
        return batch.push(self._client, self._books, writes)

    def find(self, write: Write) -> Pushed | None:
        """By name or number and our mark; believed absent only when QuickBooks cannot be at work on it any more."""
        found = self._found(write)
        if found is None:
            wait_out(write, self._config.doubt_seconds, self._lent.clock.now())
        return found

    def preflight(self, candidates: Sequence[Candidate]) -> tuple[Finding, ...]:
        return self._preflight.findings(candidates)

    def truth(self, refs: Sequence[ExternalRef]) -> Truth:
        return read_truth(self._client, self._config, refs)

    def names(self, refs: Sequence[ExternalRef]) -> tuple[NameState, ...]:
        return read_names(self._client, self._config, refs)

    def listing(self, external_type: str, start: int) -> tuple[NameState, ...]:
        return listed(self._client, self._config, external_type, start)

    def as_there(self, record: CanonicalRecord) -> Mapping[str, Any]:
        return as_there(record, self._books)

    def company_name(self) -> str:
        return self._client.company_info().company_name

    def streams(self) -> tuple[str, ...]:
        return (changes.STREAM,)

    def changes(self, stream: str, cursor: str | None, since: dt.datetime) -> ChangePage:  # noqa: ARG002 - there is one
        return changes.page(self._client, cursor, since, self._lent.clock.now())

    def _push(self, write: Write) -> Pushed:
        match write.record:
            case Customer() as customer:
                return self._left(write) or push_customer(self._client, self._books, write, customer)
            case Product() as product:
                return self._left(write) or push_item(self._client, self._books, write, product)
            case Order() as order:
                return self._documents().push_order(write, order)
            case Payment() as payment:
                return self._documents().push_payment(write, payment)
            case Refund() as refund:
                return Refunds(self._client, self._books, self._lent.clock.now()).push(write, refund)

    def _left(self, write: Write) -> Pushed | None:
        """What an earlier try made. Where keys count a repeat tells that; where not, its refusal would prove nothing."""
        if write.known is not None or not write.in_doubt or (self._config.honour_requestid and write.keyed):
            return None
        return self.find(write)

    def _found(self, write: Write) -> Pushed | None:
        match write.record:
            case Customer() as customer:
                return find_customer(self._client, self._books, customer)
            case Product() as product:
                return find_item(self._client, self._books, product)
            case Order() as order:
                return self._documents().find_order(write, order)
            case Payment() as payment:
                return self._documents().find_payment(write, payment)
            case Refund() as refund:
                return Refunds(self._client, self._books, self._lent.clock.now()).find(write, refund)

    def _documents(self) -> Documents:
        return Documents(self._client, self._books, self._lent.clock.now())


def _profile(config: QuickBooksConfig) -> Profile:
    return Profile(
        provider=DISPLAY_NAME,
        base_urls=(config.api_url, config.token_url, config.revoke_url),
        request_id_header="intuit_tid",
        throttle_marks=THROTTLE_MARKS,
    )
