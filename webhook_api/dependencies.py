"""What routes ask for: the runtime, and a caller with one of the roles they name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from erp_pipelines.access.runtime import Runtime
from webhook_api.auth import ADMINS, MANAGERS, REPS, Principal, Role, TokenVerifier, Unauthenticated, check_role
from webhook_api.limits import Pace

bearer = HTTPBearer(auto_error=False, description="The host's JWT: claims sub, tenant_id, role, customer_id.")


async def get_runtime(request: Request) -> Runtime:  # a plain function would cost each request a turn of a thread
    runtime: Runtime = request.app.state.runtime
    return runtime


def get_principal(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> Principal:
    """Raises Unauthenticated without a bearer token that can be believed."""
    if credentials is None:
        raise Unauthenticated("This needs a bearer token.", mend="Send it as: Authorization: Bearer <token>")
    verifier: TokenVerifier = request.app.state.verifier
    return verifier.principal(credentials.credentials)


def requires(*roles: Role) -> Callable[[Principal], Principal]:
    """A dependency that gives the caller, or raises Forbidden when the role is none of these."""

    def checked(principal: Annotated[Principal, Depends(get_principal)]) -> Principal:
        return check_role(principal, roles)

    return checked


def paced(request: Request) -> None:
    """For what needs no token. Raises TooManyRequests for an address that asks too often."""
    pace: Pace = request.app.state.public_pace
    pace.check(address_of(request))


def address_of(request: Request) -> str:
    """The caller's; the proxy's where it names no other (uvicorn's --forwarded-allow-ips)."""
    return request.client.host if request.client else ""


House = Annotated[Runtime, Depends(get_runtime)]
Admin = Annotated[Principal, Depends(requires(*ADMINS))]
Manager = Annotated[Principal, Depends(requires(*MANAGERS))]
Rep = Annotated[Principal, Depends(requires(*REPS))]
Anyone = Annotated[Principal, Depends(get_principal)]
PageSize = Annotated[int, Query(alias="pageSize", ge=1, le=500, description="How many items a page holds at most.")]
Cursor = Annotated[str | None, Query(max_length=500, description="The nextCursor of the page before.")]
