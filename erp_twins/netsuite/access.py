"""Who may come in: integrations, certificates, tokens, failed logins, and the Login Audit Trail that tells why not."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from erp_twins import keeping
from erp_twins.clock import TwinClock
from erp_twins.jsonio import Doc

SCOPES = ("restlets", "rest_webservices", "suite_analytics")
_LONGEST = timedelta(days=730)  # a certificate serves two years at most
_LOCKED = timedelta(minutes=30)
_FAILURES = 5
_SIGNING_KEY = "twin " * 8


@dataclass(frozen=True)
class Integration:
    """An integration record; the boxes say which grants it may use."""

    client_id: str
    client_secret: str
    account: str
    m2m: bool = True
    tba: bool = True
    scopes: tuple[str, ...] = SCOPES


@dataclass(frozen=True)
class Certificate:
    """One mapping of a certificate to an integration, a user and a role."""

    kid: str
    account: str
    client_id: str
    pem: str
    valid_until: str
    role: str
    entity: str = "-5"

    def public_key(self) -> Any:
        return x509.load_pem_x509_certificate(self.pem.encode()).public_key()


@dataclass(frozen=True)
class Token:
    """A token of Token-Based Authentication."""

    token_id: str
    token_secret: str
    account: str
    client_id: str
    role: str
    entity: str = "-5"


@dataclass(frozen=True)
class Bearer:
    """An access token that was given out."""

    account: str
    client_id: str
    role: str
    entity: str
    scopes: tuple[str, ...]
    expires: str


@dataclass(frozen=True)
class Identity:
    """Who stands behind a call."""

    account: str
    client_id: str
    role: str
    entity: str
    scopes: tuple[str, ...] = SCOPES


class LoginFailed(Exception):
    """Not let in. The text goes to the audit trail only; the caller hears nothing of it."""

    def __init__(self, reason: str, user: str = "") -> None:
        super().__init__(reason)
        self.user = user


_KINDS: dict[str, Any] = {
    "integrations": Integration,
    "certificates": Certificate,
    "tokens": Token,
    "bearers": Bearer,
}
_PLAIN = ("nonces", "failures", "locked", "audit")


@dataclass
class Access:
    """All credentials of a twin. Guarded by its lock."""

    clock: TwinClock
    integrations: dict[str, Integration] = field(default_factory=dict)
    certificates: dict[str, Certificate] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    bearers: dict[str, Bearer] = field(default_factory=dict)
    nonces: dict[str, int] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    locked: dict[str, str] = field(default_factory=dict)
    audit: list[Doc] = field(default_factory=list)

    # --- registering ---

    def add_certificate(self, client_id: str, pem: str, role: str, entity: str = "-5", kid: str = "") -> Certificate:
        """Map a certificate. Raises ValueError for a key of another kind or length than NetSuite takes."""
        loaded = x509.load_pem_x509_certificate(pem.encode())
        key = loaded.public_key()
        fits = isinstance(key, ec.EllipticCurvePublicKey) and key.key_size in {256, 384, 521}
        fits = fits or (isinstance(key, rsa.RSAPublicKey) and key.key_size in {3072, 4096})
        if not fits:
            raise ValueError("a certificate needs an RSA key of 3072 or 4096 bits or an EC key of 256, 384 or 521")
        until = min(loaded.not_valid_after_utc, self.clock.now() + _LONGEST)
        kid = kid or hashlib.sha256(f"{pem}{len(self.certificates)}".encode()).hexdigest()[:24]
        account = self.integrations[client_id].account
        self.certificates[kid] = Certificate(kid, account, client_id, pem, until.isoformat(), role, entity)
        return self.certificates[kid]

    def add_token(self, client_id: str, role: str, entity: str = "-5", ident: str = "", secret: str = "") -> Token:
        account = self.integrations[client_id].account
        token = Token(ident or secrets.token_hex(32), secret or secrets.token_hex(32), account, client_id, role, entity)
        self.tokens[token.token_id] = token
        return token

    def wipe(self, account: str) -> None:
        """What a sandbox refresh does: mappings and tokens of the account are gone."""
        for name in ("certificates", "tokens", "bearers"):
            kept = {key: one for key, one in getattr(self, name).items() if one.account != account}
            setattr(self, name, kept)

    # --- bearer tokens ---

    def grant(self, identity: Identity, seconds: int) -> str:
        """A new access token."""
        now = self.clock.now()
        moment = int(now.timestamp())
        subject = f"{identity.account};{identity.role};{identity.entity}"
        claims = {"sub": subject, "aud": [identity.client_id], "scope": list(identity.scopes), "iat": moment}
        claims |= {"exp": moment + seconds, "jti": f"{len(self.bearers)}.{secrets.token_hex(8)}"}
        value = jwt.encode(claims, _SIGNING_KEY, algorithm="HS256")
        until = (now + timedelta(seconds=seconds)).isoformat()
        self.bearers[value] = Bearer(**asdict(identity), expires=until)
        return value

    def bearer(self, value: str) -> Identity:
        """The identity behind a live access token. Raises LoginFailed."""
        held = self.bearers.get(value)
        if held is None:
            raise LoginFailed("the access token is unknown")
        if datetime.fromisoformat(held.expires) <= self.clock.now():
            raise LoginFailed("the access token has expired")
        return Identity(held.account, held.client_id, held.role, held.entity, tuple(held.scopes))

    def expire_bearers(self, account: str = "") -> None:
        past = self.clock.now().isoformat()
        for value, held in self.bearers.items():
            if account in {"", held.account}:
                self.bearers[value] = replace(held, expires=past)

    # --- failed logins ---

    def failed(self, error: LoginFailed, account: str, *, lockout: bool) -> None:
        """Note a failed login; the fifth in a row locks its user."""
        self.audit.append({"time": self.clock.now().isoformat(), "account": account, "detail": str(error)})
        if not error.user or not lockout:
            return
        self.failures[error.user] = self.failures.get(error.user, 0) + 1
        if self.failures[error.user] >= _FAILURES:
            self.locked[error.user] = (self.clock.now() + _LOCKED).isoformat()
            self.failures[error.user] = 0

    def succeeded(self, user: str) -> None:
        self.failures.pop(user, None)

    def refuse_locked(self, user: str) -> None:
        if user in self.locked and self.clock.now() < datetime.fromisoformat(self.locked[user]):
            raise LoginFailed("temporary_locked")

    # --- keeping ---

    def state(self) -> Doc:
        return {**keeping.state_of(self, _KINDS), **{name: getattr(self, name) for name in _PLAIN}}

    def restore(self, state: Doc) -> None:
        keeping.restore(self, _KINDS, state)
        for name in _PLAIN:
            setattr(self, name, state[name])
