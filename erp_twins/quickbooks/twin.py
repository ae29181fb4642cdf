"""The twin itself: one lock, the order of checks, the fault dial and the call log around every request."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from erp_twins import jsonio
from erp_twins.clock import TwinClock
from erp_twins.faults import FaultDial, FaultRule, answer_instead, spoil
from erp_twins.http import Request, Response
from erp_twins.jsonio import Doc
from erp_twins.ledger import Call as LoggedCall
from erp_twins.ledger import CallLog, Ledger
from erp_twins.quickbooks import api, faults, gateway, idempotency, seed
from erp_twins.quickbooks.company import Company
from erp_twins.quickbooks.config import DEFAULT_REALM, CompanySettings, TwinConfig, changed
from erp_twins.quickbooks.control import Control
from erp_twins.quickbooks.grants import ACCOUNTING, App, Grants
from erp_twins.quickbooks.oauth import OAuth
from erp_twins.quickbooks.people import Person
from erp_twins.quickbooks.site import Site
from erp_twins.quickbooks.throttle import Throttle
from erp_twins.quickbooks.webhooks import Delivery, WebhookOutbox

_CONTROLLED = ("/_twin/",)


class QuickBooksTwin:
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
        self.lock = threading.RLock()
        self.clock = clock or TwinClock()
        self.config = config or TwinConfig()
        self.version = 0
        self._sleep = sleep
        self._first_realm = realm
        self._late: list[tuple[datetime, Request]] = []
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

    # --- faults ---

    def add_fault(self, fault: str, **fields: Any) -> int:
        """Arm a fault rule; the fields are those of `FaultRule`."""
        with self.lock:
            return self.dial.add(FaultRule.from_json({"fault": fault, **fields}))

    def clear_faults(self) -> None:
        with self.lock:
            self.dial.clear()

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

    def handle(self, request: Request, patience: float | None = None) -> Response:
        """The answer to a request.

        With `patience` None slow faults really sleep. A number is how long an in-process caller would wait: nothing sleeps,
        a longer fault ends in "timeout", and a write that was slow before its commit happens when the clock gets there.
        """
        self.run_late()
        if request.path.startswith(_CONTROLLED):
            with self.lock:
                self.version += 1
                return self._control.answer(request)
        target = api.target_of(request)
        facts = gateway.facts(request, target)
        with self.lock:
            rule = self.dial.pick(facts)
        return self._with_fault(request, target, rule, patience) if rule else self._logged(request, target, "")

    def run_late(self) -> None:
        """Carry out the slow requests whose time has come, though nobody waits for them any more."""
        with self.lock:
            now = self.clock.now()
            due = [request for moment, request in self._late if moment <= now]
            self._late = [pair for pair in self._late if pair[0] > now]
        for request in due:
            self._logged(request, api.target_of(request), "late")

    def _with_fault(
        self, request: Request, target: api.Target | None, rule: FaultRule, patience: float | None
    ) -> Response:
        if rule.hits_before_commit:
            with self.lock:
                answer = answer_instead(rule, faults.throttled("xml", self.clock.now()))
                return self._log(request, target, api.Outcome(answer), rule.fault)
        slow = rule.seconds if rule.fault == "slow" else 0.0
        if slow and not rule.after_commit and not self._wait(slow, patience):
            with self.lock:
                self._late.append((self.clock.now() + timedelta(seconds=slow), request))
            return self._log(request, target, api.Outcome(Response(0, ending="timeout")), rule.fault)
        answer = self._logged(request, target, rule.fault, rule)
        if slow and rule.after_commit and not self._wait(slow, patience):
            return replace(answer, ending="timeout")
        return answer

    def _wait(self, seconds: float, patience: float | None) -> bool:
        """Whether the caller is still there after so long."""
        if patience is None:
            self._sleep(seconds)
            return True
        return seconds <= patience

    def _logged(
        self, request: Request, target: api.Target | None, fault: str, rule: FaultRule | None = None
    ) -> Response:
        """Answer under the lock, spoil the committed answer if a rule says so, and write it down."""
        with self.lock:
            if rule and rule.fault == "stale" and target:
                self._touch(request, target)
            outcome = self._outcome(request, target)
            if rule:
                outcome = self._spoilt(rule, target, outcome)
            return self._log(request, target, outcome, fault)

    def _spoilt(self, rule: FaultRule, target: api.Target | None, outcome: api.Outcome) -> api.Outcome:
        answer = spoil(rule, outcome.response)
        lost = answer.ending != "whole" or answer.status != outcome.response.status
        if lost and target and outcome.key and not self.config.remember_lost_answers:
            idempotency.forget(self.companies[target.realm], outcome.key)
        return replace(outcome, response=answer)

    def _touch(self, request: Request, target: api.Target) -> None:
        """Somebody edits the same document just before the request arrives."""
        ident = target.ident or gateway.ident(request)
        company = self.companies.get(target.realm)
        if company and company.get(target.entity, ident):
            with suppress(faults.QboFault):
                Person(company).edit(target.entity, ident, {})

    def _outcome(self, request: Request, target: api.Target | None) -> api.Outcome:
        if target is None:
            return api.Outcome(self._oauth.answer(request) or self._site.answer(request))
        refused = gateway.refusal(self, request, target)
        if refused:
            return api.Outcome(refused)
        outcome = api.perform(api.Call(request, target, self.companies[target.realm], self.config))
        if target.kind == "read" and outcome.response.status == 200:
            self.throttle.core_plus[target.realm] += 1
        return outcome

    def _log(self, request: Request, target: api.Target | None, outcome: api.Outcome, fault: str) -> Response:
        """Stamp the answer with its `intuit_tid` and note the call. Pages for people are not calls."""
        with self.lock:
            answer = outcome.response.with_headers(
                ("intuit_tid", self.tids.next(self.clock.now())), ("qbo-version", "twin")
            )
            if target or request.path.startswith(("/oauth2", "/v2/oauth2", "/connect", "/v1/openid")):
                self.calls.add(self._entry(request, target, outcome, fault, answer))
                self.version += 1
            return answer

    def _entry(
        self, request: Request, target: api.Target | None, outcome: api.Outcome, fault: str, answer: Response
    ) -> LoggedCall:
        where = {"realm": target.realm, "entity": target.entity, "operation": target.operation} if target else {}
        return LoggedCall(
            self.calls.next_seq(),
            self.clock.now().isoformat(),
            request.method,
            request.path,
            target.kind if target else "auth",
            status=answer.status if answer.ending == "whole" else 0,
            requestid=request.param("requestid"),
            replayed=outcome.replayed,
            fault=fault,
            intuit_tid=answer.header("intuit_tid"),
            **where,
        )

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
