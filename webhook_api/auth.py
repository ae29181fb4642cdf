"""Who calls: the host's bearer tokens, verified with pinned algorithms. The tenant comes from the token only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

import jwt
from pydantic import SecretStr

from erp_pipelines.domain.connections import check_tenant_id
from erp_pipelines.domain.errors import PipelineError, RecordInvalid, SettingsInvalid

SHORTEST_SECRET = 32
SHARED = ["HS256"]
PUBLIC_KEY = ["RS256", "ES256", "PS256"]
REQUIRED = ["exp", "sub", "tenant_id", "role"]
LEEWAY_SECONDS = 10
JWKS_TIMEOUT_SECONDS = 5


class Unauthenticated(PipelineError):
    """No token, or one that cannot be believed."""

    code = "unauthenticated"


class Forbidden(PipelineError):
    """A good token whose role does not allow this."""

    code = "forbidden"


class KeysUnavailable(PipelineError):
    """The host's key set cannot be fetched now: nobody can be let in or turned away."""

    code = "keys-unavailable"


class Role(StrEnum):
    ADMIN = "Admin"
    SALES_MANAGER = "SalesManager"
    SALES_REP = "SalesRep"
    CUSTOMER = "Customer"


ADMINS = (Role.ADMIN,)
MANAGERS = (Role.ADMIN, Role.SALES_MANAGER)
REPS = (Role.ADMIN, Role.SALES_MANAGER, Role.SALES_REP)
STAFF = frozenset(REPS)


@dataclass(frozen=True)
class Principal:
    """Who calls, for which tenant, as what. `customer_id` is set for customers."""

    user_id: str
    tenant_id: str
    role: Role
    customer_id: str | None = None

    @property
    def is_staff(self) -> bool:
        return self.role in STAFF

    @property
    def is_admin(self) -> bool:
        return self.role is Role.ADMIN


def check_role(principal: Principal, roles: Sequence[Role]) -> Principal:
    """The caller, or Forbidden when the role is none of these. API and console ask here, and nowhere else."""
    if principal.role not in roles:
        raise Forbidden(f"This is for {' and '.join(roles)}; your role is {principal.role}.")
    return principal


class JwtSettings(Protocol):
    """The part of the settings that is read here."""

    @property
    def jwt_secret(self) -> SecretStr | None: ...
    @property
    def jwt_jwks_url(self) -> str | None: ...
    @property
    def jwt_issuer(self) -> str | None: ...
    @property
    def jwt_audience(self) -> str | None: ...


@dataclass(frozen=True)
class AuthConfig:
    """A shared secret or a key set's address. Raises SettingsInvalid for both, neither, or a short secret."""

    secret: str | None = field(default=None, repr=False)
    jwks_url: str | None = None
    issuer: str | None = None
    audience: str | None = None

    def __post_init__(self) -> None:
        if bool(self.secret) == bool(self.jwks_url):
            raise SettingsInvalid(
                "Bearer tokens cannot be verified: set ERP_JWT_SECRET or ERP_JWT_JWKS_URL, one of them.",
                mend='Make a secret with: python -c "import secrets; print(secrets.token_urlsafe(48))"',
            )
        if self.secret and len(self.secret.encode()) < SHORTEST_SECRET:
            raise SettingsInvalid(
                f"ERP_JWT_SECRET has fewer than {SHORTEST_SECRET} bytes: it could be guessed.",
                mend='Make one with: python -c "import secrets; print(secrets.token_urlsafe(48))"',
            )

    @classmethod
    def from_settings(cls, settings: JwtSettings) -> AuthConfig:
        secret = settings.jwt_secret.get_secret_value() if settings.jwt_secret else None
        return cls(secret, settings.jwt_jwks_url, settings.jwt_issuer, settings.jwt_audience)


class TokenVerifier:
    """Turns bearer tokens into principals. Thread-safe; a key set is fetched once and kept for minutes."""

    def __init__(self, config: AuthConfig) -> None:
        self._config = config
        self._keys = jwt.PyJWKClient(config.jwks_url, timeout=JWKS_TIMEOUT_SECONDS) if config.jwks_url else None

    def principal(self, token: str) -> Principal:
        """Raises Unauthenticated for a token that cannot be believed, Forbidden for a role that is not ours."""
        return self.believed(token)[0]

    def believed(self, token: str) -> tuple[Principal, dt.datetime]:
        """The principal, and when its token ends. Raises as `principal`."""
        claims = self._claims(token)
        return _principal(claims), dt.datetime.fromtimestamp(claims["exp"], dt.UTC)

    def _claims(self, token: str) -> dict[str, Any]:
        config = self._config
        try:
            return jwt.decode(
                token,
                self._key(token),
                algorithms=PUBLIC_KEY if self._keys else SHARED,
                issuer=config.issuer,
                audience=config.audience,
                leeway=LEEWAY_SECONDS,
                options={"require": REQUIRED, "verify_aud": config.audience is not None},
            )
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("The bearer token has expired.", mend="Get a new one.") from None
        except jwt.PyJWKClientConnectionError:
            raise KeysUnavailable(
                "The key set at ERP_JWT_JWKS_URL cannot be fetched.", mend="Try again soon."
            ) from None
        except (jwt.PyJWTError, TypeError) as error:  # TypeError: a key of another kind than the token's algorithm
            reason = type(error).__name__.removesuffix("Error")
            raise Unauthenticated(f"The bearer token is not valid ({reason}).") from None

    def _key(self, token: str) -> Any:
        """The bare key of a set, so that an RSA key serves RS256 and PS256 alike; the algorithms are pinned anyway."""
        return self._keys.get_signing_key_from_jwt(token).key if self._keys else self._config.secret


def _principal(claims: dict[str, Any]) -> Principal:
    try:
        tenant_id = check_tenant_id(str(claims["tenant_id"]))
    except RecordInvalid:
        raise Unauthenticated("The bearer token's tenant_id is no tenant id.") from None
    if claims["role"] not in set(Role):
        raise Forbidden("The bearer token's role is none of " + ", ".join(Role) + ".")
    role, customer = Role(claims["role"]), claims.get("customer_id")
    if role is Role.CUSTOMER and not customer:
        raise Unauthenticated("A customer's bearer token needs the claim customer_id.")
    return Principal(claims["sub"], tenant_id, role, str(customer) if customer else None)
