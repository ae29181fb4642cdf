"""Token-Based Authentication: OAuth 1.0a with HMAC-SHA256, checked in full (reference 2.4, RFC 5849)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote

from erp_twins.http import Request
from erp_twins.netsuite.access import Access, Identity, LoginFailed, Token
from erp_twins.netsuite.account_ids import account_of_host

_PAIR = re.compile(r'\s*([a-zA-Z_]+)="([^"]*)"\s*(?:,|$)')
_SKEW_SECONDS = 300
_SHORTEST_NONCE = 6
_MOST_NONCES = 5000  # then those too old to be replayed are forgotten
_PORTS = {"http": ":80", "https": ":443"}


def parameters(header: str) -> dict[str, str]:
    """The parts of an `Authorization: OAuth ...` header, decoded."""
    return {name: unquote(value) for name, value in _PAIR.findall(header.partition(" ")[2])}


def identity(request: Request, access: Access, *, lockout: bool) -> Identity:
    """Who signed the request. Raises LoginFailed, whose reason goes to the audit trail."""
    sent = parameters(request.header("authorization"))
    token = access.tokens.get(sent.get("oauth_token", ""))
    if token is None:
        raise LoginFailed("token_rejected")
    user = f"{token.account}:{token.entity}"
    if lockout:
        access.refuse_locked(user)
    reason = _objection(request, sent, token, access)
    if reason:
        raise LoginFailed(reason, user)
    access.succeeded(user)
    return Identity(token.account, token.client_id, token.role, token.entity)


def _objection(request: Request, sent: Mapping[str, str], token: Token, access: Access) -> str:
    """Why the request is not let in, in the words of the audit trail; empty when it is."""
    integration = access.integrations[token.client_id]
    if sent.get("oauth_consumer_key") != token.client_id:
        return "consumer_key_unknown"
    if not integration.tba:
        return "permission_denied"
    if sent.get("realm") != token.account or account_of_host(request.base_url.rpartition("/")[2]) not in {
        "", token.account
    }:  # fmt: skip
        return "account_unknown"
    if sent.get("oauth_signature_method") != "HMAC-SHA256":
        return "UnknownAlgorithm"
    if sent.get("oauth_version", "1.0") != "1.0":
        return "version_rejected"
    secret = f"{_encoded(integration.client_secret)}&{_encoded(token.token_secret)}"
    if not hmac.compare_digest(signature(request, sent, secret), sent.get("oauth_signature", "")):
        return "InvalidSignature"
    return _staleness(sent, token, access)


def _staleness(sent: Mapping[str, str], token: Token, access: Access) -> str:
    now, stamp, nonce = (
        int(access.clock.now().timestamp()),
        sent.get("oauth_timestamp", ""),
        sent.get("oauth_nonce", ""),
    )
    if not stamp.isdigit() or abs(now - int(stamp)) > _SKEW_SECONDS:
        return "InvalidTimestamp"
    if len(nonce) < _SHORTEST_NONCE:
        return "nonce_rejected"
    if len(access.nonces) > _MOST_NONCES:
        access.nonces = {key: moment for key, moment in access.nonces.items() if moment >= now - 2 * _SKEW_SECONDS}
    key = f"{token.token_id}:{stamp}:{nonce}"
    if key in access.nonces:
        return "NonceUsed"
    access.nonces[key] = int(stamp)
    return ""


def signature(request: Request, sent: Mapping[str, str], secret: str) -> str:
    """The signature over everything signed: all `oauth_` parameters that came (`oauth_body_hash` too) and the query."""
    signed = [(name, value) for name, value in sent.items() if name not in {"realm", "oauth_signature"}]
    base = "&".join(_encoded(part) for part in (request.method, _url(request), _normal([*signed, *request.query])))
    return base64.b64encode(hmac.new(secret.encode(), base.encode(), hashlib.sha256).digest()).decode()


def _url(request: Request) -> str:
    scheme, _, host = request.base_url.lower().partition("://")
    return f"{scheme}://{host.removesuffix(_PORTS[scheme])}{request.raw_path or request.path}"


def _normal(pairs: Iterable[tuple[str, str]]) -> str:
    return "&".join(f"{name}={value}" for name, value in sorted((_encoded(n), _encoded(v)) for n, v in pairs))


def _encoded(text: str) -> str:
    return quote(text, safe="~")
