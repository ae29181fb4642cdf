"""Apps, authorization codes, grants and their tokens (reference sections 1.4, 1.5, 1.7)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from erp_twins import keeping
from erp_twins.clock import TwinClock
from erp_twins.quickbooks.config import TwinConfig

ACCOUNTING = "com.intuit.quickbooks.accounting"
SCOPES = frozenset({ACCOUNTING, "com.intuit.quickbooks.payment", "openid", "profile", "email", "phone", "address"})
REFRESH_SECONDS = 8_726_400  # 101 days, as recorded bodies say; the real window is `refresh_token_days`
HARD_SECONDS = 157_680_000
_CODE_LIFE = timedelta(minutes=10)
_ROTATION = timedelta(hours=24)


@dataclass(frozen=True)
class App:
    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...] = ()
    name: str = "An app"


@dataclass(frozen=True)
class Code:
    client_id: str
    redirect_uri: str
    realm: str
    scopes: tuple[str, ...]
    expires: str


@dataclass(frozen=True)
class Grant:
    """One user's consent for one app and company."""

    ident: str
    client_id: str
    realm: str
    scopes: tuple[str, ...]
    refresh_token: str
    rotated: str
    used: str
    consented: str
    alive: bool = True
    old_tokens: tuple[str, ...] = ()


@dataclass(frozen=True)
class Access:
    grant: str
    expires: str


class InvalidGrant(Exception):
    """The `invalid_grant` of the token endpoint, with its description."""


@dataclass
class Grants:
    """All of it. Guarded by the twin's lock."""

    clock: TwinClock
    apps: dict[str, App] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)
    access: dict[str, Access] = field(default_factory=dict)
    issued: int = 0

    # --- consent ---

    def code(self, app: App, redirect_uri: str, realm: str, scopes: tuple[str, ...]) -> str:
        value = self._secret("AB11", 44)
        self.codes[value] = Code(app.client_id, redirect_uri, realm, scopes, self._later(_CODE_LIFE))
        return value

    def redeem(self, app: App, value: str, redirect_uri: str, config: TwinConfig) -> Grant:
        """Turn a code into a grant. A code works once, for its app and redirect URI, for ten minutes."""
        code = self.codes.pop(value, None)
        valid = code and code.client_id == app.client_id and code.redirect_uri == redirect_uri
        if not code or not valid or self._past(code.expires):
            raise InvalidGrant("Invalid authorization code")
        return self.consent(app.client_id, code.realm, code.scopes, config)

    def consent(self, client_id: str, realm: str, scopes: tuple[str, ...], config: TwinConfig) -> Grant:
        """A new grant; by default it ends an earlier one of the same app and company."""
        if config.reconnect_supersedes:
            self.disconnect(realm, client_id)
        now = self.clock.now().isoformat()
        grant = Grant(self._secret("grant-", 12), client_id, realm, scopes, self._secret("AB11", 46), now, now, now)
        self.grants[grant.ident] = grant
        return grant

    # --- tokens ---

    def new_access(self, grant: Grant, config: TwinConfig) -> str:
        value = self._secret("eyJlbmMiOiJ0d2luIn0..", 180)
        self.access[value] = Access(grant.ident, self._later(timedelta(seconds=config.access_token_seconds)))
        return value

    def refresh(self, app: App, value: str, config: TwinConfig) -> Grant:
        """The grant after a refresh, rotated as the policy says. Old values are refused, or kill the grant."""
        grant = next((one for one in self.grants.values() if value in {one.refresh_token, *one.old_tokens}), None)
        if grant is None or not grant.alive or grant.client_id != app.client_id:
            raise InvalidGrant("Incorrect or invalid refresh token")
        if value != grant.refresh_token:
            self._keep(replace(grant, alive=config.rotation != "race_kills_grant"))
            raise InvalidGrant("Incorrect or invalid refresh token")
        if self._lapsed(grant, config):
            raise InvalidGrant("Token expired")
        return self._keep(self._rotated(grant, config))

    def _lapsed(self, grant: Grant, config: TwinConfig) -> bool:
        idle = self.clock.now() - datetime.fromisoformat(grant.used)
        return idle > timedelta(days=config.refresh_token_days) or self.hard_seconds(grant) <= 0

    def hard_seconds(self, grant: Grant) -> int:
        """Seconds to the absolute end, five years after consent."""
        age = self.clock.now() - datetime.fromisoformat(grant.consented)
        return HARD_SECONDS - int(age.total_seconds())

    def _rotated(self, grant: Grant, config: TwinConfig) -> Grant:
        now = self.clock.now()
        grant = replace(grant, used=now.isoformat())
        if config.rotation == "daily" and now - datetime.fromisoformat(grant.rotated) < _ROTATION:
            return grant
        old = (*grant.old_tokens[-20:], grant.refresh_token)
        return replace(grant, refresh_token=self._secret("AB11", 46), rotated=now.isoformat(), old_tokens=old)

    def _keep(self, grant: Grant) -> Grant:
        self.grants[grant.ident] = grant
        return grant

    def bearer(self, value: str) -> Grant | str:
        """The live grant of an access token, or why there is none, in the gateway's words."""
        access = self.access.get(value)
        if access is None:
            return "Malformed bearer token: too short or too long" if len(value) < 40 else "Token not found"
        grant = self.grants[access.grant]
        if not grant.alive:
            return "Token revoked"
        return f"Token expired: {value[:12]}..." if self._past(access.expires) else grant

    def revoke(self, client_id: str, value: str) -> bool:
        """Either token ends its whole grant. False for an unknown or dead one."""
        access = self.access.get(value)
        wanted = (
            one for one in self.grants.values() if value == one.refresh_token or (access and access.grant == one.ident)
        )
        grant = next((one for one in wanted if one.alive and one.client_id == client_id), None)
        if grant:
            self._keep(replace(grant, alive=False))
        return grant is not None

    def disconnect(self, realm: str, client_id: str = "") -> int:
        """End the grants of a company (of one app, or of all). Gives how many were alive."""
        ended = [
            one for one in self.grants.values() if one.alive and one.realm == realm and client_id in {"", one.client_id}
        ]
        for grant in ended:
            self._keep(replace(grant, alive=False))
        return len(ended)

    def connected(self, realm: str) -> bool:
        return any(one.alive and one.realm == realm for one in self.grants.values())

    def expire_access(self, realm: str = "") -> None:
        """Make every access token (of a company) expired at once."""
        past = (self.clock.now() - timedelta(seconds=1)).isoformat()
        for value, access in self.access.items():
            if realm in {"", self.grants[access.grant].realm}:
                self.access[value] = replace(access, expires=past)

    def _later(self, span: timedelta) -> str:
        return (self.clock.now() + span).isoformat()

    def _past(self, moment: str) -> bool:
        return self.clock.now() >= datetime.fromisoformat(moment)

    def _secret(self, prefix: str, length: int) -> str:
        """The next value of a repeatable sequence: made up, and no secret at all."""
        self.issued += 1
        rows = (hashlib.sha256(f"twin:{self.issued}:{row}".encode()).hexdigest() for row in range(length // 64 + 1))
        return prefix + "".join(rows)[:length]

    # --- keeping ---

    def state(self) -> dict[str, Any]:
        return {**keeping.state_of(self, _KINDS), "issued": self.issued}

    def restore(self, state: dict[str, Any]) -> None:
        self.issued = state["issued"]
        keeping.restore(self, _KINDS, state)


_KINDS: dict[str, Any] = {"apps": App, "codes": Code, "grants": Grant, "access": Access}
