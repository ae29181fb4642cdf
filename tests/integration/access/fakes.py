"""A provider in memory with a consent flow and webhooks, for the doors that let people and notices in."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import itertools
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from erp_pipelines.access import consent
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.connectors.base import ConnectionFacts, ExternalRef
from erp_pipelines.connectors.provider import Company, Grant, InFlight, Kinds, Notice
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import ConnectionLost, ConsentRefused, RecordInvalid
from erp_pipelines.security.cipher import Cipher, new_key
from erp_pipelines.storage.connections import ConnectionRow
from erp_pipelines.storage.engine import Database

KEY = ConnectionKey("acme", "quickbooks")
VERIFIER = b"made-up verifier"


@dataclass
class FakeOAuth:
    """Rotates both tokens on every refresh; an old refresh token is refused, as the harsher servers do."""

    companies: dict[str, str] = field(default_factory=lambda: {"9130": "Corner Books"})
    codes: set[str] = field(default_factory=lambda: {"code-1", "code-2", "code-3"})
    refreshes: list[str] = field(default_factory=list)
    exchanged: list[str] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)
    good_refresh_token: str = ""
    seconds_per_refresh: float = 0
    lifetimes: dict[str, float] = field(default_factory=dict)  # of the grants from now on
    fail: Exception | None = None
    on_refresh: Callable[[str], None] | None = None
    _numbers: Any = field(default_factory=itertools.count)
    _lock: Any = field(default_factory=threading.Lock)

    def authorize_url(self, *, state: str, redirect_uri: str) -> str:
        return f"https://login.example.com/?state={state}&redirect_uri={redirect_uri}"

    def exchange(self, *, code: str, redirect_uri: str) -> Grant:
        self._raise()
        self.exchanged.append(code)
        if code not in self.codes:
            raise ConsentRefused("The code is not good.", mend="Start again.")
        self.codes.remove(code)
        return self._grant()

    def refresh(self, refresh_token: str) -> Grant:
        with self._lock:
            self.refreshes.append(refresh_token)
        time.sleep(self.seconds_per_refresh)
        self._raise()
        if refresh_token != self.good_refresh_token:
            raise ConnectionLost("The provider refused the refresh token.", mend="Connect it again.")
        grant = self._grant()
        if self.on_refresh:
            self.on_refresh(grant.refresh_token)
        return grant

    def revoke(self, token: str) -> str:
        self._raise()
        self.revoked.append(token)
        return ""

    def describe(self, *, company_id: str, access_token: str) -> Company:
        return Company(company_id, self.companies[company_id], "sandbox", {"currency": "USD"})

    def _grant(self) -> Grant:
        number = next(self._numbers)
        self.good_refresh_token = f"refresh-{number}"
        lifetimes = {"access_expires_in": 3600, "refresh_expires_in": 8_640_000, **self.lifetimes}
        return Grant(f"access-{number}", self.good_refresh_token, **lifetimes)

    def _raise(self) -> None:
        if self.fail is not None:
            raise self.fail


class FakeWebhooks:
    """Signed as the real one is, over the raw bytes; reads both shapes of a delivery."""

    def verify(self, headers: Mapping[str, str], body: bytes) -> bool:
        return hmac.compare_digest(headers.get("x-signature", "").encode(), sign(body).encode())

    def parse(self, body: bytes) -> tuple[Notice, ...]:
        try:
            data = json.loads(body)
            return tuple(self._event(event) for event in data) if isinstance(data, list) else self._older(data)
        except (ValueError, KeyError) as error:
            raise RecordInvalid("That is no delivery.") from error

    def _event(self, event: dict[str, Any]) -> Notice:
        kind, operation = event["type"].split(".")[1:3]
        ref = ExternalRef(kind.capitalize(), event["intuitentityid"])
        return Notice(event["id"], event["intuitaccountid"], ref, operation, None)

    def _older(self, data: dict[str, Any]) -> tuple[Notice, ...]:
        return tuple(
            Notice(
                f"{company['realmId']}-{entity['name']}-{entity['id']}-{entity['lastUpdated']}",
                company["realmId"],
                ExternalRef(entity["name"], entity["id"]),
                entity["operation"],
                dt.datetime.fromisoformat(entity["lastUpdated"]),
            )
            for company in data["eventNotifications"]
            for entity in company["dataChangeEvent"]["entities"]
        )


@dataclass
class FakeCredentials:
    """Takes the password `good`; `said` is what was tried."""

    said: list[dict[str, str]] = field(default_factory=list)
    fail: Exception | None = None
    renewals: int = 0

    def connect(self, form: Mapping[str, str]) -> tuple[Grant, Company]:
        self.said.append(dict(form))
        if self.fail:
            raise self.fail
        if "password" not in form:
            raise RecordInvalid("password is missing.", field="password", mend="Enter it.")
        if form["password"] != "good":
            raise ConsentRefused("The password is wrong.", mend="Enter the right one.")
        company = Company(form["accountId"], "Northern Stores", "production", {"currency": "USD"})
        return Grant("access-c", f"secret of {form['accountId']}", 3600, None, 86_400 * 400), company

    def refresh(self, refresh_token: str) -> Grant:
        self.renewals += 1
        if self.fail:
            raise self.fail
        return Grant(f"access-{self.renewals}", refresh_token, 3600, None, 86_400 * 400)

    def revoke(self, token: str) -> str:
        return "Revoke the access token there too."


@dataclass
class FakeSession:
    """A company that can be asked its name, with the token that it is lent."""

    lent: Any

    def company_name(self) -> str:
        self.lent.tokens.access_token()
        return "Northern Stores"


def sign(body: bytes) -> str:
    return hmac.new(VERIFIER, body, hashlib.sha256).hexdigest()


@dataclass
class FakeConnector:
    oauth: FakeOAuth | None = field(default_factory=FakeOAuth)
    webhooks: FakeWebhooks | None = field(default_factory=FakeWebhooks)
    provider: str = "quickbooks"
    display_name: str = "QuickBooks"
    credentials: Any = None
    settings_model: Any = None
    check_settings: Any = None
    choices: Any = None
    documents_when: str = "paid"
    kinds: Kinds = field(default_factory=lambda: Kinds({}, frozenset()))

    def in_flight(self, connection: ConnectionFacts) -> InFlight:
        return InFlight()

    def session(self, connection: ConnectionFacts, lent: Any) -> FakeSession:
        return FakeSession(lent)

    def document_url(self, connection: ConnectionFacts, ref: ExternalRef) -> str | None:
        return f"https://books.example.com/{connection.company_id}/{ref.external_type}/{ref.external_id}"


def make_runtime(database: Database, clock: Any, connector: FakeConnector | None = None) -> Runtime:
    connector = connector or FakeConnector()
    keyless = FakeConnector(
        oauth=None, webhooks=None, credentials=FakeCredentials(), provider="netsuite", display_name="NetSuite",
        documents_when="confirmed",
    )  # fmt: skip
    return Runtime(
        db=database,
        cipher=Cipher.from_keys(f"k1:{new_key()}"),
        connectors={"quickbooks": connector, "netsuite": keyless},
        clock=clock,
        public_url="https://erp.example.com",
        requests_per_minute={},
    )


def add_tenants(database: Database, *names: str) -> None:
    with database.system() as conn:
        for name in names:
            conn.execute(sa.text("insert into erp.tenants (id, name) values (:id, :id)"), {"id": name})


def state_in(url: str) -> str:
    return url.partition("state=")[2].partition("&")[0]


def connect(runtime: Runtime, tenant_id: str = "acme", company_id: str = "9130", code: str = "code-1") -> ConnectionRow:
    """Through the whole consent, as a person does it."""
    url = consent.begin(runtime, tenant_id, "ann", "quickbooks")
    return consent.finish(runtime, "quickbooks", code=code, company_id=company_id, state=state_in(url))


def scalar(database: Database, sql: str, **values: Any) -> Any:
    with database.system() as conn:
        return conn.execute(sa.text(sql), values).scalar()
