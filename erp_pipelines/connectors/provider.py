"""A provider as a whole: the consent flow that lets us in, the webhooks that tell of changes, and its sessions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from erp_pipelines.connectors.base import ConnectionFacts, ErpSession, ExternalRef, Lent

# --- connecting --------------------------------------------------------------------------


@dataclass(frozen=True)
class Grant:
    """Tokens as the provider gave them; never logged (`repr` hides them).

    Seconds; after `ends_in`, where it is known, a person must consent again however often it was renewed.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    access_expires_in: float
    refresh_expires_in: float
    ends_in: float | None = None


@dataclass(frozen=True)
class Company:
    """The company behind a grant. `facts` (JSON) is kept and lent back as `ConnectionFacts.company`."""

    external_id: str
    name: str
    environment: str
    facts: Mapping[str, Any]


class OAuthProvider(Protocol):
    """The authorization-code flow of a provider that has one."""

    def authorize_url(self, *, state: str, redirect_uri: str) -> str: ...

    def exchange(self, *, code: str, redirect_uri: str) -> Grant:
        """Raises ConsentRefused, with the mend, when the provider refuses."""
        ...

    def refresh(self, refresh_token: str) -> Grant:
        """Raises ConnectionLost when the grant is gone, Misconfigured for wrong keys, Unavailable when nothing was heard."""
        ...

    def revoke(self, token: str) -> None:
        """End the grant at the provider. A token that is dead already is no error."""
        ...

    def describe(self, *, company_id: str, access_token: str) -> Company:
        """Read who the company is and what its books allow (preferences, accounts)."""
        ...


# --- webhooks ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Notice:
    """One change that a provider tells of: a doorbell, not the truth. `event_id` is the same on every redelivery."""

    event_id: str
    company_id: str
    ref: ExternalRef
    operation: str
    occurred_at: dt.datetime | None


class WebhookSource(Protocol):
    def verify(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether the provider signed exactly these bytes; constant time. `headers` have lower-case names."""
        ...

    def parse(self, body: bytes) -> tuple[Notice, ...]:
        """The notices of a verified delivery, unknown kinds included. Raises RecordInvalid on another shape."""
        ...


# --- the provider ---


class Connector(Protocol):
    """One provider. `webhooks` and `oauth` are None where it has none."""

    @property
    def provider(self) -> str: ...

    @property
    def display_name(self) -> str: ...

    @property
    def oauth(self) -> OAuthProvider | None: ...

    @property
    def webhooks(self) -> WebhookSource | None: ...

    def session(self, connection: ConnectionFacts, lent: Lent) -> ErpSession: ...

    def document_url(self, connection: ConnectionFacts, ref: ExternalRef) -> str | None:
        """Where a person opens the document in the ERP."""
        ...
