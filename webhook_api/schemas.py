"""The JSON of the API: camelCase, times in UTC, amounts as decimal strings."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel

from erp_pipelines.access.connections import Disconnected, Status
from erp_pipelines.access.health import Warned
from erp_pipelines.commerce.saving import Saved
from erp_pipelines.delivery.probe import Probe
from erp_pipelines.domain.connections import ConnectionSettings, ConnectionState, CustomerField, DocumentsWhen
from erp_pipelines.domain.payments import PaymentStatus
from erp_pipelines.domain.records import Amount

Item = TypeVar("Item")


def _utc(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


Moment = Annotated[dt.datetime, PlainSerializer(_utc, return_type=str, when_used="json")]


class Body(BaseModel):
    """What comes in or goes out; nothing unknown is let in."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Page(Body, Generic[Item]):
    """One page of a list; `nextCursor` is null on the last."""

    items: list[Item]
    next_cursor: str | None = None


class AuthorizeUrl(Body):
    url: str


class WarningOut(Body):
    """Something that a person should do before `endsAt`."""

    cause: str
    message: str
    mend: str
    ends_at: Moment

    @classmethod
    def of(cls, warned: Warned) -> WarningOut:
        why = warned.why
        return cls(cause=why.cause, message=why.message, mend=why.mend, ends_at=warned.ends_at)


class ConnectionOut(Body):
    """A provider as the tenant's staff sees it; no secrets, not even masked.

    The refresh token's end is put off by every renewal, which happens by itself; the credential's by a person only.
    `reconnectBefore` is the earlier of the two.
    """

    provider: str
    display_name: str
    is_connected: bool
    state: ConnectionState
    state_reason: str | None = None
    company_id: str | None = None
    company_name: str | None = None
    environment: str | None = None
    last_sync_at: Moment | None = None
    last_sync_error: str | None = None
    paused_until: Moment | None = None
    connected_by: str | None = None
    reconnect_before: Moment | None = None
    refresh_token_expires_at: Moment | None = None
    credential_ends_at: Moment | None = None
    warnings: list[WarningOut] = []
    auto_sync_enabled: bool
    settings: ConnectionSettings
    settings_version: int | None = None

    @classmethod
    def of(cls, status: Status) -> ConnectionOut:
        row = status.row
        settings = row.settings if row else ConnectionSettings()
        known = {
            "company_id": row.external_company_id, "company_name": row.company_name, "environment": row.environment,
            "state_reason": row.state_reason, "last_sync_at": row.last_sync_at, "last_sync_error": row.last_sync_error,
            "paused_until": row.paused_until, "connected_by": row.connected_by,
            "settings_version": row.settings_version,
            "refresh_token_expires_at": row.refresh_token_expires_at, "credential_ends_at": row.grant_ends_at,
            "reconnect_before": min(filter(None, (row.refresh_token_expires_at, row.grant_ends_at)), default=None),
            "warnings": [WarningOut.of(warned) for warned in status.warnings],
        } if row else {}  # fmt: skip
        return cls(
            provider=status.provider,
            display_name=status.display_name,
            is_connected=status.state is ConnectionState.CONNECTED,
            state=status.state,
            auto_sync_enabled=settings.auto_sync_enabled,
            settings=settings,
            **known,
        )


class SettingsChange(Body):
    """Settings to change; what is left out stays, an id of null is taken away, within `providerSettings` too."""

    auto_sync_enabled: bool | None = None
    sync_customers: bool | None = None
    sync_products: bool | None = None
    sync_invoices: bool | None = None
    sync_payments: bool | None = None
    documents_when: DocumentsWhen | None = None
    start_date: dt.date | None = None
    income_account_id: str | None = None
    deposit_account_id: str | None = None
    discount_account_id: str | None = None
    shipping_item_id: str | None = None
    tax_code_id: str | None = None
    exempt_tax_code_id: str | None = None
    customer_fields_from_erp: list[CustomerField] | None = None
    reads_per_month: int | None = Field(default=None, ge=0)
    diagnostic_mode: bool | None = None
    provider_settings: dict[str, Any] | None = None


class ReasonOut(Body):
    cause: str
    message: str
    mend: str


class ValidatedOut(Body):
    """Whether a connection works; where not, `reasons` says why and what to do."""

    valid: bool
    company_name: str | None
    said: str
    reasons: list[ReasonOut]

    @classmethod
    def of(cls, found: Probe) -> ValidatedOut:
        reasons = [ReasonOut(cause=why.cause, message=why.message, mend=why.mend) for why in found.reasons]
        valid = found.row.state is ConnectionState.CONNECTED and found.trouble is None
        return cls(valid=valid, company_name=found.row.company_name, said=found.summary, reasons=reasons)


class DisconnectedOut(Body):
    """`revokedAtProvider` false: the tokens are gone here, and `note` says what is left to do at the provider."""

    provider: str
    state: ConnectionState
    revoked_at_provider: bool
    note: str

    @classmethod
    def of(cls, ended: Disconnected) -> DisconnectedOut:
        return cls(
            provider=ended.row.provider, state=ended.row.state, revoked_at_provider=ended.revoked, note=ended.note
        )


class ReceivedOut(Body):
    """What became of one webhook delivery."""

    new: int
    duplicates: int
    unknown: int


class SavedOut(Body):
    """`changed` false: the same record stood there already, and no event was written."""

    id: str
    created: bool
    changed: bool
    event_id: str | None

    @classmethod
    def of(cls, record_id: str, saved: Saved) -> SavedOut:
        return cls(id=record_id, created=saved.created, changed=saved.changed, event_id=saved.event_id)


class PayIn(Body):
    """A payment; the open balance, of today, when nothing is said. The same `paymentId` again is no second one."""

    amount: Amount | None = None
    date: dt.date | None = None
    method: str | None = None
    reference: str | None = None
    payment_id: str | None = None


class PaidOut(Body):
    order_id: str
    payment_status: PaymentStatus
    payment_id: str | None
    changed: bool


class ReturnedIn(Body):
    """So many of one line of the order, counted from 1; all that is left of it without a quantity."""

    line: int
    quantity: Amount | None = None


class RefundIn(Body):
    """A refund of today. Without amount, lines and shipping all that is left of what was received.

    Lines and `shipping` (true: all of it) are given back with their taxes; an amount that differs from them makes an
    adjustment. The same `refundId` again is no second one.
    """

    amount: Amount | None = None
    lines: list[ReturnedIn] = []
    shipping: bool = False
    date: dt.date | None = None
    method: str | None = None
    reference: str | None = None
    reason: str | None = None
    refund_id: str | None = None


class RefundedOut(Body):
    order_id: str
    payment_status: PaymentStatus
    refund_id: str
    amount: Amount
    changed: bool


class ProviderSync(Body):
    """One record at one provider. `state` is notSynced, pending, inDoubt, synced or failed.

    `inDoubt`: a write may have reached the ERP unheard; it is looked up before anything is sent again.
    """

    provider: str
    display_name: str
    state: str
    badge: str
    document_number: str | None = None
    document_url: str | None = None
    last_synced_at: Moment | None = None
    in_doubt: bool = False
    next_attempt_at: Moment | None = None
    error: str | None = None
    cause: str | None = None
    mend: str | None = None
    owner: str | None = None
    retriable: bool | None = None


class OrderSync(Body):
    order_id: str
    payment_status: str | None
    providers: list[ProviderSync]


class CustomerSync(Body):
    customer_id: str
    providers: list[ProviderSync]
