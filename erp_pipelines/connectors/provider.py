"""A provider as a whole: the consent flow that lets us in, the webhooks that tell of changes, and its sessions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import BaseModel

from erp_pipelines.connectors.base import ConnectionFacts, ErpSession, ExternalRef, Lent, TokenSource
from erp_pipelines.domain.connections import ConnectionSettings, DocumentsWhen
from erp_pipelines.domain.events import EntityType

# --- connecting --------------------------------------------------------------------------


@dataclass(frozen=True)
class Grant:
    """Secrets that let us in; never logged (`repr` hides them).

    `refresh_token` is the lasting one: the provider's own, or the credentials that an admin has entered, as one text.
    Seconds; `refresh_expires_in` is None where it lasts however long it is not used. After `ends_in`, where it is known,
    a person must let us in again however often it was renewed.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    access_expires_in: float
    refresh_expires_in: float | None = None
    ends_in: float | None = None


@dataclass(frozen=True)
class Company:
    """The company behind a grant. `facts` (JSON, no secrets) is kept and lent back as `ConnectionFacts.company`."""

    external_id: str
    name: str
    environment: str
    facts: Mapping[str, Any]


class GrantKeeper(Protocol):
    """How a grant is kept alive and ended, however it was given."""

    def refresh(self, refresh_token: str) -> Grant:
        """Raises ConnectionLost when the grant is gone, Misconfigured for wrong keys, Unavailable when nothing was heard."""
        ...

    def revoke(self, token: str) -> str:
        """End the grant at the provider; empty, or what a person must still do there. A dead token is no error."""
        ...


class CredentialsProvider(GrantKeeper, Protocol):
    """Connecting with credentials that an admin enters, for a provider that has no sign-in page."""

    def connect(self, form: Mapping[str, str]) -> tuple[Grant, Company]:
        """Try the credentials for real, and read who the company is and what its books allow.

        `form` has the fields of the HTTP body, in camelCase. Raises RecordInvalid naming the field that cannot be right,
        ConsentRefused with the reason and the mend when the provider refuses or lets us do too little, Unavailable when
        nothing was heard.
        """
        ...


class OAuthProvider(GrantKeeper, Protocol):
    """The authorization-code flow of a provider that has one."""

    def authorize_url(self, *, state: str, redirect_uri: str) -> str: ...

    def exchange(self, *, code: str, redirect_uri: str) -> Grant:
        """Raises ConsentRefused, with the mend, when the provider refuses."""
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


@dataclass(frozen=True)
class Kinds:
    """The provider's own record types: which of our entities each may stand for, and which tell of money."""

    entities: Mapping[str, EntityType]
    money: frozenset[str]


@dataclass(frozen=True)
class InFlight:
    """How many calls of one connection may be under way at once: at first, and at most however well it goes."""

    start: int = 1
    most: int = 1


class SettingsCheck(Protocol):
    """Whether what an admin chose stands in the company's own lists."""

    def __call__(
        self, connection: ConnectionFacts, after: ConnectionSettings, tokens: TokenSource
    ) -> Mapping[str, Any]:
        """Look up what differs between the connection's settings and `after`; the facts of the company that were read.

        No call where nothing that can be looked up has changed. Raises RecordInvalid naming the setting that is wrong, and
        what a call may raise.
        """
        ...


@dataclass(frozen=True)
class Choice:
    """A record of the company's that a setting may name."""

    id: str
    name: str


class SettingChoices(Protocol):
    """The company's own lists, for forms."""

    def __call__(self, connection: ConnectionFacts, tokens: TokenSource) -> Mapping[str, Sequence[Choice]]:
        """What each setting may name, by the setting's JSON path (a table of names: what its values may be), by name.

        Only what is active and fits. A list that the company refuses to show, or that is too long for a form, is missing.
        Raises what a call may raise.
        """
        ...


class Connector(Protocol):
    """One provider. `webhooks`, `oauth` and `credentials` are None where it has none.

    `settings_model` says what a connection's `providerSettings` may hold; None where it has no settings of its own.
    `check_settings` and `choices` are None where settings name nothing that the company could be asked for.
    """

    @property
    def provider(self) -> str: ...

    @property
    def display_name(self) -> str: ...

    @property
    def kinds(self) -> Kinds: ...

    @property
    def documents_when(self) -> DocumentsWhen:
        """Which moment makes a document of an order in a new connection, until an admin decides otherwise."""
        ...

    @property
    def oauth(self) -> OAuthProvider | None: ...

    @property
    def credentials(self) -> CredentialsProvider | None: ...

    @property
    def webhooks(self) -> WebhookSource | None: ...

    @property
    def settings_model(self) -> type[BaseModel] | None: ...

    @property
    def check_settings(self) -> SettingsCheck | None: ...

    @property
    def choices(self) -> SettingChoices | None: ...

    def in_flight(self, connection: ConnectionFacts) -> InFlight: ...

    def session(self, connection: ConnectionFacts, lent: Lent) -> ErpSession: ...

    def document_url(self, connection: ConnectionFacts, ref: ExternalRef) -> str | None:
        """Where a person opens the document in the ERP."""
        ...
