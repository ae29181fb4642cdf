"""OAuth 2.0 with Intuit: consent, refresh, revocation, and a first look at the company."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from urllib.parse import urlencode

from pydantic import ValidationError

from erp_pipelines.connectors.calling import lent_for_once
from erp_pipelines.connectors.granting import TOKEN_SECONDS, asked, heard, not_renewed, reason
from erp_pipelines.connectors.http import Answer, Call, ErpHttp, encode
from erp_pipelines.connectors.provider import Company, Grant
from erp_pipelines.connectors.quickbooks.client import QuickBooksClient
from erp_pipelines.connectors.quickbooks.company import described
from erp_pipelines.connectors.quickbooks.config import QuickBooksConfig
from erp_pipelines.connectors.quickbooks.faults import CATALOGUE
from erp_pipelines.connectors.quickbooks.wire import TokenDoc
from erp_pipelines.domain.clock import Clock
from erp_pipelines.domain.errors import ConsentRefused, SettingsInvalid, Unavailable

WHO = "Intuit"
SCOPE = "com.intuit.quickbooks.accounting"
# Why Intuit refuses an exchange or a renewal, and what a person can do.
_CONSENT, _RENEWAL = CATALOGUE.rules(CATALOGUE.consent), CATALOGUE.rules(CATALOGUE.refresh)
WRONG_KEYS = _RENEWAL["invalid_client"].mend
# Asks for the absolute end of the grant, five years after the consent.
HARD_END = {"x-include-refresh-token-hard-expires-in": "true"}
OTHERWISE = "Try again; if it stays, check the app's keys and redirect address at Intuit."


class QuickBooksOAuth:
    """The authorization-code flow. Holds no state: `state` and tokens are the caller's."""

    def __init__(self, config: QuickBooksConfig, http: ErpHttp, clock: Clock) -> None:
        self._config, self._http, self._clock = config, http, clock

    def authorize_url(self, *, state: str, redirect_uri: str) -> str:
        """`redirect_uri` must equal one that is registered with the app, to the letter."""
        query = {
            "client_id": self._config.client_id,
            "response_type": "code",
            "scope": SCOPE,
            "redirect_uri": redirect_uri,
            "state": state,
        }
        return f"{self._config.authorize_url}?{urlencode(query)}"

    def exchange(self, *, code: str, redirect_uri: str) -> Grant:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        answer = self._token_call("oauth.exchange", form)
        if answer.status != 200:
            word = reason(answer)
            mend = _CONSENT[word].mend if word in _CONSENT else OTHERWISE
            raise ConsentRefused(f"{WHO} refused the consent ({word}).", mend=mend)
        return self._grant(answer)

    def refresh(self, refresh_token: str) -> Grant:
        """A new grant; the refresh token in it replaces the old one, which may be dead from now on."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        answer = heard(self._config.refresh_tries, lambda: self._token_call("oauth.refresh", form))
        if answer.status != 200:
            raise not_renewed(_RENEWAL, WHO, answer, OTHERWISE)
        return self._grant(answer)

    def revoke(self, token: str) -> str:
        """Either token ends the whole grant. Raises Unavailable when Intuit is not heard, SettingsInvalid on bad keys."""
        call = Call(
            kind="oauth.revoke",
            method="POST",
            url=self._config.revoke_url,
            headers={**self._basic(), "Content-Type": "application/json"},
            body=encode({"token": token}),
            expects_json=False,
        )
        if self._asked(call).status == 401:
            raise SettingsInvalid("Intuit refused the app's own credentials.", mend=WRONG_KEYS)
        return ""

    def describe(self, *, company_id: str, access_token: str) -> Company:
        lent = lent_for_once(access_token, self._clock)
        return described(QuickBooksClient(self._config, self._http, company_id, lent), self._config)

    def _token_call(self, kind: str, form: Mapping[str, str]) -> Answer:
        form_type = {"Content-Type": "application/x-www-form-urlencoded"}
        call = Call(
            kind=kind,
            method="POST",
            url=self._config.token_url,
            headers={**self._basic(), **form_type, **HARD_END},
            body=urlencode(form).encode(),
            seconds=TOKEN_SECONDS,
        )
        return self._asked(call)

    def _asked(self, call: Call) -> Answer:
        return asked(self._http, call, WHO, self._clock.now())

    def _basic(self) -> dict[str, str]:
        pair = f"{self._config.client_id}:{self._config.client_secret}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}

    def _grant(self, answer: Answer) -> Grant:
        try:
            doc = TokenDoc.model_validate(answer.body)
        except ValidationError:
            raise Unavailable("Intuit's token answer has no tokens in it.", request_id=answer.request_id) from None
        return Grant(
            doc.access_token,
            doc.refresh_token,
            doc.expires_in,
            doc.x_refresh_token_expires_in,
            doc.x_refresh_token_hard_expires_in,
        )
