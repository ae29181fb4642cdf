"""The twin itself: companies, apps and people, and the order of checks before a request is answered."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from erp_twins import jsonio
from erp_twins.base import Outcome, Twin
from erp_twins.clock import TwinClock
from erp_twins.faults import CallFacts, FaultDial, FaultRule
from erp_twins.http import Request, Response
from erp_twins.jsonio import Doc
from erp_twins.ledger import Call, CallLog, Ledger
from erp_twins.quickbooks import api, codes, faults, gateway, idempotency, seed
from erp_twins.quickbooks.company import Company
from erp_twins.quickbooks.config import DEFAULT_REALM, CompanySettings, TwinConfig
from erp_twins.quickbooks.control import Control
from erp_twins.quickbooks.grants import ACCOUNTING, App, Grants
from erp_twins.quickbooks.oauth import OAuth
from erp_twins.quickbooks.people import Person
from erp_twins.quickbooks.site import Site
from erp_twins.quickbooks.throttle import Throttle
from erp_twins.quickbooks.webhooks import Delivery, WebhookOutbox
from erp_twins.switches import changed

_CALLED = ("/oauth2", "/v2/oauth2", "/connect", "/v1/openid")


class QuickBooksTwin(Twin[api.Target | None]):
    """QuickBooks Online in one object. Thread-safe; needs no sockets.

    `handle` answers requests; everything else looks in or plays the other people involved: the user in the product,
    the operator of the service, the network.
    """

    def __init__(
        self,
        config: TwinConfig | None = None,
        *,
        clock: TwinClock | None = None,
        realm: str = DEFAULT_REALM,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(clock, sleep)
        self.config = config or TwinConfig()
        self._first_realm = realm
        self._control, self._oauth, self._site = Control(self), OAuth(self), Site(self)
        self._empty()

    def _empty(self) -> None:
        self.companies: dict[str, Company] = {}
        self.grants = Grants(self.clock)
        self.dial = FaultDial()
        self.calls = CallLog()
        self.throttle = Throttle()
        self.webhooks = WebhookOutbox(self.clock, lambda: self.config)
        self.tids = gateway.TransactionIds()
        if self._first_realm:
            self.add_company(self._first_realm)

    # --- setting up ---

    def reset(self) -> None:
        """Back to one fresh company; registered apps and switches stay."""
        with self.lock:
            apps = self.grants.apps
            self._empty()
            self.grants.apps = apps
            self.version += 1

    def configure(self, **changes: Any) -> TwinConfig:
        """Change switches of the whole twin."""
        with self.lock:
            self.config = changed(self.config, changes)
            return self.config

    def add_app(
        self, client_id: str, client_secret: str, redirect_uris: tuple[str, ...] = (), name: str = "An app"
    ) -> App:
        with self.lock:
            self.grants.apps[client_id] = App(client_id, client_secret, tuple(redirect_uris), name)
            return self.grants.apps[client_id]

    def add_company(self, realm: str, **settings: Any) -> Company:
        """A new company with its seed data, or an existing one with some settings changed."""
        with self.lock:
            known = self.companies.get(realm)
            if known:
                known.settings = changed(known.settings, settings)
                return known
            company = Company(realm, changed(CompanySettings(), settings), self.clock)
            company.listener = self.webhooks.note
            seed.fill(company)
            self.companies[realm] = company
            return company

    def company(self, realm: str = DEFAULT_REALM) -> Company:
        return self.companies[realm]

    def connect(self, client_id: str, realm: str = DEFAULT_REALM, scopes: tuple[str, ...] = (ACCOUNTING,)) -> Doc:
        """Tokens without the browser dance: `access_token` and `refresh_token`, for tests that are not about OAuth."""
        with self.lock:
            grant = self.grants.consent(client_id, realm, scopes, self.config)
            return {"access_token": self.grants.new_access(grant, self.config), "refresh_token": grant.refresh_token}

    @contextmanager
    def person(self, realm: str = DEFAULT_REALM) -> Iterator[Person]:
        """A user at work in the product, under the twin's lock."""
        with self.lock:
            self.version += 1
            yield Person(self.companies[realm])

    # --- looking in ---

    def ledger(self, realm: str = DEFAULT_REALM) -> Ledger:
        with self.lock:
            return self.companies[realm].ledger()

    def due_webhooks(self, *, flush: bool = False) -> list[Delivery]:
        """Deliveries to post now; none while their company has no live grant."""
        with self.lock:
            return [one for one in self.webhooks.due(flush=flush) if self.grants.connected(one.realm)]

    def pending_webhooks(self) -> list[Delivery]:
        """Every signed delivery not yet acknowledged, to be posted by hand; then call `settle_webhook`."""
        with self.lock:
            return self.webhooks.pending()

    def settle_webhook(self, delivery: Delivery, *, acknowledged: bool = True) -> None:
        with self.lock:
            self.webhooks.settle(delivery, acknowledged=acknowledged)
            self.version += 1

    # --- answering ---

    def _controlled(self, request: Request) -> Response:
        return self._control.answer(request)

    def _target(self, request: Request) -> api.Target | None:
        return api.target_of(request)

    def _facts(self, request: Request, target: api.Target | None) -> CallFacts:
        return gateway.facts(request, target)

    def _throttled(self) -> Response:
        return faults.throttled("xml", self.clock.now())

    def _spoilt(self, rule: FaultRule, target: api.Target | None, outcome: Outcome) -> Outcome:
        spoilt = super()._spoilt(rule, target, outcome)
        lost = spoilt.response.ending != "whole" or spoilt.response.status != outcome.response.status
        if lost and target and outcome.key and not self.config.remember_lost_answers:
            idempotency.forget(self.companies[target.realm], outcome.key)
        return spoilt

    def _coded(self, rule: FaultRule) -> Response:
        return codes.answer(rule.code, rule.detail, rule.pointer, self.config.throttle_body, self.clock.now())

    def _touch(self, request: Request, target: api.Target | None) -> None:
        company = self.companies.get(target.realm) if target else None
        ident = target.ident or gateway.ident(request) if target else ""
        if target and company and company.get(target.entity, ident):
            with suppress(faults.QboFault):
                Person(company).edit(target.entity, ident, {})

    def _outcome(self, request: Request, target: api.Target | None) -> Outcome:
        if target is None:
            return Outcome(self._oauth.answer(request) or self._site.answer(request))
        refused = gateway.refusal(self, request, target)
        if refused:
            return Outcome(refused)
        outcome = api.perform(api.Call(request, target, self.companies[target.realm], self.config))
        if target.kind == "read" and outcome.response.status == 200:
            self.throttle.core_plus[target.realm] += 1
        return outcome

    def _stamped(self, answer: Response) -> Response:
        """With its `intuit_tid`."""
        return answer.with_headers(("intuit_tid", self.tids.next(self.clock.now())), ("qbo-version", "twin"))

    def _entry(self, request: Request, target: api.Target | None) -> Call | None:
        if not target and not request.path.startswith(_CALLED):
            return None
        entry = Call(
            request.method, request.path, target.kind if target else "auth", requestid=request.param("requestid")
        )
        if target is None:
            return entry
        return replace(entry, realm=target.realm, entity=target.entity, operation=target.operation)

    # --- keeping ---

    def dump_state(self) -> str:
        """Everything that must survive a restart, as JSON."""
        with self.lock:
            companies = {realm: company.state() for realm, company in self.companies.items()}
            rest = {"grants": self.grants.state(), "webhooks": self.webhooks.state(), "clock": self.clock.state()}
            return jsonio.dumps({"companies": companies, **rest, "tids": self.tids.last})

    def load_state(self, text: str) -> None:
        """Take over a dumped state; apps registered before stay registered."""
        state = jsonio.loads(text)
        with self.lock:
            apps = dict(self.grants.apps)
            self.grants.restore(state["grants"])
            self.grants.apps.update(apps)
            self.webhooks.restore(state["webhooks"])
            self.clock.restore(state["clock"])
            self.tids.last = state["tids"]
            self.companies = {realm: Company.revived(row, self.clock) for realm, row in state["companies"].items()}
            for company in self.companies.values():
                company.listener = self.webhooks.note
