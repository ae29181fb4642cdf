"""What stands before the services: who calls, and whether that role may come in at all (reference 2.2, 2.4)."""

from __future__ import annotations

from erp_twins.http import Request, Response
from erp_twins.netsuite import errors, tba
from erp_twins.netsuite.access import Access, Identity, LoginFailed
from erp_twins.netsuite.account_ids import account_of_host
from erp_twins.netsuite.config import TwinConfig
from erp_twins.netsuite.roles import Role

SCOPE = "rest_webservices"


def account_named(request: Request, access: Access) -> str:
    """The account that a request speaks of, before anything is checked: by token, realm or host."""
    scheme, _, rest = request.header("authorization").partition(" ")
    if scheme.lower() == "bearer" and rest in access.bearers:
        return access.bearers[rest].account
    realm = tba.parameters(request.header("authorization")).get("realm", "") if scheme.lower() == "oauth" else ""
    return realm or account_of_host(request.base_url.rpartition("/")[2])


def identity(request: Request, access: Access, config: TwinConfig, roles: dict[str, dict[str, Role]]) -> Identity:
    """Who calls. Raises LoginFailed; every failed login is noted in the audit trail."""
    try:
        found = _authenticated(request, access, config)
        _check_role(found, roles, by_token=request.header("authorization").lower().startswith("oauth "))
    except LoginFailed as failed:
        access.failed(failed, account_named(request, access), lockout=config.lockout)
        raise
    return found


def _authenticated(request: Request, access: Access, config: TwinConfig) -> Identity:
    scheme, _, value = request.header("authorization").partition(" ")
    if scheme.lower() == "oauth":
        return tba.identity(request, access, lockout=config.lockout)
    if scheme.lower() != "bearer":
        raise LoginFailed("no credentials")
    found = access.bearer(value.strip())
    if SCOPE not in found.scopes:
        raise LoginFailed("the token's scopes do not include rest_webservices")
    host = account_of_host(request.base_url.rpartition("/")[2])
    if host and host != found.account:
        raise LoginFailed("the token belongs to another account")
    return found


def _check_role(found: Identity, roles: dict[str, dict[str, Role]], *, by_token: bool) -> None:
    role = roles.get(found.account, {}).get(found.role)
    if role is not None and by_token and not role.opens("token_login"):
        raise LoginFailed("the role may not log in using access tokens")
    if role is None or not role.opens("rest_web_services"):
        raise LoginFailed("the role may not use REST Web Services")


def refusal(request: Request, language: str, account: str) -> Response:
    """The generic 401; only a bearer hears that its token is at fault. A bearer without a token is 400."""
    scheme, _, value = request.header("authorization").partition(" ")
    if scheme.lower() != "bearer":
        return errors.answer(errors.bad_login(), language)
    if not value.strip():
        challenge = (
            f'Bearer realm="{account}", error="invalid_request", error_description="The access token is missing"'
        )
        return errors.answer(errors.Refused(400, "INVALID_REQUEST", "login"), language, ("www-authenticate", challenge))
    challenge = f'Bearer realm="{account}", error="invalid_token", error_description="Invalid or expired access token"'
    return errors.answer(errors.bad_login(), language, ("www-authenticate", challenge))


def too_many(config: TwinConfig, language: str) -> Response:
    """Over the concurrency limit: 429, or the slow 401 as which some accounts disguise it."""
    if config.disguise:
        return errors.answer(errors.bad_login(), language)
    headers = (("retry-after", str(config.retry_after)),) if config.retry_after else ()
    return errors.answer(errors.busy(), language, *headers)
