"""Letting us in: OAuth 2.0 client credentials with a signed assertion, or OAuth 1.0a with every call signed."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping
from urllib.parse import urlencode

import jwt
from oauthlib import oauth1
from pydantic import ValidationError

from erp_pipelines.connectors.calling import Authorise, bearer, lent_for_once
from erp_pipelines.connectors.granting import TOKEN_SECONDS, asked, heard, not_renewed, reason
from erp_pipelines.connectors.http import Answer, Call, ErpHttp, address
from erp_pipelines.connectors.netsuite.accounts import Account
from erp_pipelines.connectors.netsuite.client import NetSuiteClient
from erp_pipelines.connectors.netsuite.config import DISPLAY_NAME, TOKEN_PATH, NetSuiteConfig
from erp_pipelines.connectors.netsuite.credentials import Credentials, MachineCredentials, entered, stored
from erp_pipelines.connectors.netsuite.faults import CATALOGUE
from erp_pipelines.connectors.netsuite.inspection import described
from erp_pipelines.connectors.netsuite.wire import TokenDoc
from erp_pipelines.connectors.provider import Company, Grant
from erp_pipelines.domain.clock import Clock
from erp_pipelines.domain.errors import ConsentRefused, Unavailable

# One word, since Oracle's pages disagree on how several are written.
SCOPE = "rest_webservices"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
REFRESH_TRIES = 2
# Credentials of OAuth 1.0a are their own access token; they last until somebody revokes them in NetSuite.
TOKEN_LIFE = 30 * 86400.0
STILL_TO_DO = {
    "oauth2_m2m": "Revoke the certificate in NetSuite under Setup, Integration, OAuth 2.0 Client Credentials (M2M) Setup: it cannot be done from outside.",
    "tba": "Revoke the access token in NetSuite under Setup, Users/Roles, Access Tokens: it cannot be done from outside.",
}
OTHERWISE = "Try again; if it stays, look at the user's Login Audit Trail in NetSuite, and connect NetSuite again."
_CONNECTING, _RENEWAL = CATALOGUE.rules(CATALOGUE.consent), CATALOGUE.rules(CATALOGUE.refresh)


class NetSuiteCredentials:
    """Implements `CredentialsProvider`. Holds no state: what was entered is the caller's, as the grant's lasting secret."""

    def __init__(self, config: NetSuiteConfig, http: ErpHttp, clock: Clock) -> None:
        self._config, self._http, self._clock = config, http, clock

    def connect(self, form: Mapping[str, str]) -> tuple[Grant, Company]:
        """Two calls to be let in, and some twenty to see what the role may do."""
        credentials = entered(form, self._clock.now())
        grant = self._first_grant(credentials)
        lent = lent_for_once(grant.access_token, self._clock)
        client = NetSuiteClient(self._config, self._http, credentials.account, lent, authorise=authorise(self._clock))
        return grant, described(client, self._config, credentials.auth_method)

    def refresh(self, refresh_token: str) -> Grant:
        """A new assertion signed, a new token; the lasting secret stays the same. Credentials of OAuth 1.0a need no call."""
        credentials = stored(refresh_token)
        if not isinstance(credentials, MachineCredentials):
            return _unending(credentials)
        answer = heard(REFRESH_TRIES, lambda: self._token_call("token.refresh", credentials))
        if answer.status != 200:
            raise not_renewed(_RENEWAL, DISPLAY_NAME, answer, OTHERWISE)
        return self._granted(credentials, answer)

    def revoke(self, token: str) -> str:
        """Nothing is called: NetSuite lets nobody revoke these from outside."""
        return STILL_TO_DO[stored(token).auth_method]

    def _first_grant(self, credentials: Credentials) -> Grant:
        if not isinstance(credentials, MachineCredentials):
            return _unending(credentials)
        answer = self._token_call("token.connect", credentials)
        if answer.status != 200:
            word = reason(answer)
            mend = _CONNECTING[word].mend if word in _CONNECTING else OTHERWISE
            raise ConsentRefused(f"{DISPLAY_NAME} refused the credentials ({word}).", mend=mend)
        return self._granted(credentials, answer)

    def _token_call(self, kind: str, credentials: MachineCredentials) -> Answer:
        """Each try has an assertion of its own."""
        account, now = credentials.account, self._clock.now()
        base = self._config.base_url(account)
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion(credentials, self._config, now),
        }
        call = Call(
            kind=kind,
            method="POST",
            url=f"{base}{TOKEN_PATH}",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=urlencode(form).encode(),
            seconds=TOKEN_SECONDS,
        )
        return asked(self._http.only_to(base), call, DISPLAY_NAME, now)

    def _granted(self, credentials: MachineCredentials, answer: Answer) -> Grant:
        try:
            doc = TokenDoc.model_validate(answer.body)
        except ValidationError:
            raise Unavailable("NetSuite's token answer has no token in it.", request_id=answer.request_id) from None
        ends_at = credentials.ends_at
        left = (ends_at - self._clock.now()).total_seconds() if ends_at else None
        return Grant(doc.access_token, credentials.text(), doc.expires_in, ends_in=left)


def assertion(credentials: MachineCredentials, config: NetSuiteConfig, now: dt.datetime) -> str:
    """A client assertion, good from `now` for as long as the configuration says."""
    account: Account = credentials.account
    issued = int(now.timestamp())
    claims = {
        "iss": credentials.client_id,
        "scope": SCOPE,
        "aud": config.audience(account),
        "iat": issued,
        "exp": issued + config.assertion_seconds,
        "jti": secrets.token_hex(16),
    }
    headers = {"kid": credentials.certificate_id}
    return jwt.encode(claims, credentials.key, algorithm=credentials.algorithm, headers=headers)


def authorise(clock: Clock) -> Authorise:
    """How calls are authorised: a bearer token as it is, credentials of OAuth 1.0a by a signature that is made anew each time."""

    def header(call: Call, token: str) -> str:
        return _signed(call, token, clock.now()) if token.startswith("{") else bearer(call, token)

    return header


def _signed(call: Call, token: str, now: dt.datetime) -> str:
    """Query parameters are signed with the address; a body of JSON is not part of it."""
    credentials = stored(token)
    if isinstance(credentials, MachineCredentials):
        raise TypeError("credentials for an assertion don't sign calls")
    client = oauth1.Client(
        credentials.consumer_key,
        client_secret=credentials.consumer_secret,
        resource_owner_key=credentials.token_id,
        resource_owner_secret=credentials.token_secret,
        signature_method=oauth1.SIGNATURE_HMAC_SHA256,
        realm=credentials.account.id,
        timestamp=str(int(now.timestamp())),
        nonce=secrets.token_hex(16),
    )
    _, headers, _ = client.sign(address(call), http_method=call.method)
    return str(headers["Authorization"])


def _unending(credentials: Credentials) -> Grant:
    return Grant(credentials.text(), credentials.text(), TOKEN_LIFE)
