"""The token endpoint: client credentials with a signed assertion (reference 2.1)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import jwt

from erp_twins.http import Request, Response, json_answer
from erp_twins.jsonio import Doc
from erp_twins.netsuite.access import SCOPES, Access, Certificate, Identity
from erp_twins.netsuite.account_ids import account_of_host, host_label
from erp_twins.netsuite.config import TwinConfig
from erp_twins.netsuite.roles import Role

PATH = "/services/rest/auth/oauth2/v1/token"
ALGORITHMS = ("PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LONGEST_SECONDS = 3600


class Denied(Exception):
    """An error of the token endpoint: the value of `error`, and why, for the audit trail."""

    def __init__(self, error: str, reason: str, account: str = "") -> None:
        super().__init__(reason)
        self.error, self.account = error, account


def answer(request: Request, access: Access, config: TwinConfig, roles: dict[str, dict[str, Role]]) -> Response:
    """A token, or an error whose reason stands in the audit trail. `roles` by account and role id."""
    try:
        identity = _identity(request, access, config)
        _check_role(identity, roles)
    except Denied as denied:
        access.audit.append(
            {"time": access.clock.now().isoformat(), "account": denied.account, "detail": f"{denied.error}: {denied}"}
        )
        return _refusal(denied)
    token = access.grant(identity, config.access_token_seconds)
    seconds: Any = str(config.access_token_seconds) if config.expires_in_as_text else config.access_token_seconds
    return json_answer({"access_token": token, "expires_in": seconds, "token_type": "Bearer"})


def _refusal(denied: Denied) -> Response:
    if denied.error != "invalid_client":
        return json_answer({"error": denied.error}, 400)
    challenge = f'Basic realm="{denied.account}"'
    return json_answer({"error": denied.error}, 401).with_headers(("www-authenticate", challenge))


def _check_role(identity: Identity, roles: dict[str, dict[str, Role]]) -> None:
    role = roles.get(identity.account, {}).get(identity.role)
    if role is None or not role.opens("oauth_login"):
        raise Denied("invalid_grant", "the role may not log in using OAuth 2.0 access tokens", identity.account)


def _identity(request: Request, access: Access, config: TwinConfig) -> Identity:
    form = request.form()
    if request.method != "POST" or request.header("authorization") or "grant_type" not in form:
        raise Denied("invalid_request", "a POST with a form and one client authentication is needed")
    if form["grant_type"] != "client_credentials":
        raise Denied("unsupported_grant_type", f"grant type {form['grant_type']}")
    if form.get("client_assertion_type") != _ASSERTION or not form.get("client_assertion"):
        raise Denied("invalid_request", "the client assertion is missing")
    return _asserted(form["client_assertion"], request, access, config)


def _asserted(assertion: str, request: Request, access: Access, config: TwinConfig) -> Identity:
    certificate = _certificate(assertion, request, access)
    claims = _verified(assertion, certificate)
    integration = access.integrations[certificate.client_id]
    account = certificate.account
    if claims.get("iss") != certificate.client_id:
        raise Denied("invalid_client", "iss is not the client id of the certificate's integration", account)
    if not integration.m2m:
        raise Denied("unsupported_grant_type", "client credentials are not enabled on the integration", account)
    _check_audience(claims, request, account, config)
    _check_times(claims, access.clock.now(), account)
    scopes = _scopes(claims.get("scope"), account)
    if not set(scopes) <= set(integration.scopes):
        raise Denied("invalid_scope", "a scope is not enabled on the integration", account)
    return Identity(account, certificate.client_id, certificate.role, certificate.entity, scopes)


def _certificate(assertion: str, request: Request, access: Access) -> Certificate:
    try:
        header = jwt.get_unverified_header(assertion)
    except jwt.PyJWTError as error:
        raise Denied("invalid_request", f"the assertion is no JWT: {error}") from error
    host = account_of_host(request.base_url.rpartition("/")[2])
    certificate = access.certificates.get(str(header.get("kid")))
    if certificate is None or (host and host != certificate.account):
        raise Denied("invalid_client", f"no certificate is mapped as {header.get('kid')}", host)
    if header.get("alg") not in ALGORITHMS:
        raise Denied("invalid_client", f"algorithm {header.get('alg')} is not allowed", certificate.account)
    if datetime.fromisoformat(certificate.valid_until) <= access.clock.now():
        raise Denied("invalid_client", "the certificate has expired", certificate.account)
    return certificate


def _verified(assertion: str, certificate: Certificate) -> Doc:
    """The claims, their signature checked; times are the twin's own business, as it has a clock of its own."""
    unchecked: Any = dict.fromkeys(("verify_aud", "verify_exp", "verify_iat", "verify_nbf", "verify_iss"), False)
    try:
        claims: Doc = jwt.decode(assertion, certificate.public_key(), algorithms=list(ALGORITHMS), options=unchecked)
    except (jwt.PyJWTError, TypeError, ValueError) as error:
        raise Denied("invalid_client", f"the signature does not hold: {error}", certificate.account) from error
    return claims


def _check_audience(claims: Doc, request: Request, account: str, config: TwinConfig) -> None:
    label = host_label(account)
    known = {request.base_url + PATH, f"https://{label}.suitetalk.api.netsuite.com{PATH}"}
    if config.audience == "lenient":
        known.add(f"https://{label}.restlets.api.netsuite.com{PATH}")
    named = claims.get("aud")
    if not known.intersection(named if isinstance(named, list) else [named]):
        raise Denied("invalid_client", f"aud {named} is not the token endpoint", account)


def _check_times(claims: Doc, now: datetime, account: str) -> None:
    issued, expires = claims.get("iat"), claims.get("exp")
    if not isinstance(issued, int) or not isinstance(expires, int):
        raise Denied("invalid_request", "iat and exp are needed", account)
    if not 0 < expires - issued <= _LONGEST_SECONDS:
        raise Denied("invalid_client", "exp is more than an hour after iat", account)
    if not issued - 300 <= now.timestamp() < expires:
        raise Denied("invalid_client", "the assertion is not valid at this time", account)


def _scopes(value: object, account: str) -> tuple[str, ...]:
    """Of a text (words or a comma-separated list) or an array: both forms are in use."""
    words = value if isinstance(value, list) else str(value or "").replace(",", " ").split()
    scopes = tuple(str(word) for word in words)
    if not scopes or not set(scopes) <= set(SCOPES):
        raise Denied("invalid_scope", f"scope {value}", account)
    return scopes
