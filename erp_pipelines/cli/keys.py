"""Commands for secrets: keys of the key ring, bearer tokens."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Annotated, Literal

import jwt
import typer

from erp_pipelines.cli.context import runtime
from erp_pipelines.domain.connections import check_tenant_id
from erp_pipelines.domain.errors import SettingsInvalid
from erp_pipelines.security.cipher import new_key
from erp_pipelines.settings import Settings

Role = Literal["Admin", "SalesManager", "SalesRep", "Customer"]
SHORTEST_SECRET = 32


def keys_new() -> None:
    """Print a new entry for ERP_ENCRYPTION_KEYS; put it before the older ones, then run `erp keys rotate`."""
    typer.echo(f"k{dt.datetime.now(dt.UTC):%Y%m%d%H%M}:{new_key()}")


def keys_rotate() -> None:
    """Re-encrypt every stored secret under the newest key."""
    from erp_pipelines.access import connections

    with runtime() as parts:
        typer.echo(f"{connections.rotate_keys(parts)} connections re-encrypted under the newest key")


def token(
    tenant: Annotated[str, typer.Option(help="The tenant's id.")],
    role: Annotated[str, typer.Option(help="Admin, SalesManager, SalesRep or Customer.")],
    user: Annotated[str | None, typer.Option(help="Who it is; default: the role in lower case.")] = None,
    customer_id: Annotated[str | None, typer.Option(help="For role Customer: whose orders may be seen.")] = None,
    hours: Annotated[float, typer.Option(help="How long it is good for.")] = 12,
) -> None:
    """Print a bearer token signed with ERP_JWT_SECRET."""
    if role not in Role.__args__:  # type: ignore[attr-defined]
        raise typer.BadParameter(f"{role!r} is none of {', '.join(Role.__args__)}", param_hint="--role")  # type: ignore[attr-defined]
    if role == "Customer" and not customer_id:
        raise typer.BadParameter("role Customer needs --customer-id", param_hint="--customer-id")
    typer.echo(
        make_token(Settings.from_env(), tenant=tenant, role=role, user=user, customer_id=customer_id, hours=hours)
    )


def make_token(
    settings: Settings,
    *,
    tenant: str,
    role: str,
    user: str | None = None,
    customer_id: str | None = None,
    hours: float = 12,
) -> str:
    """A signed token. Raises SettingsInvalid without a secret of at least 32 characters."""
    secret = settings.jwt_secret.get_secret_value() if settings.jwt_secret else ""
    if len(secret) < SHORTEST_SECRET:
        raise SettingsInvalid(
            f"ERP_JWT_SECRET must have at least {SHORTEST_SECRET} characters.",
            mend=f"Set it to something like {secrets.token_urlsafe(32)}",
        )
    now = dt.datetime.now(dt.UTC)
    claims = {
        "sub": user or role.lower(), "tenant_id": check_tenant_id(tenant), "role": role, "customer_id": customer_id,
        "iss": settings.jwt_issuer, "aud": settings.jwt_audience, "iat": now, "exp": now + dt.timedelta(hours=hours),
    }  # fmt: skip
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, secret, algorithm="HS256")
