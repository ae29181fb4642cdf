"""The twin itself: accounts, credentials and people, and the order of checks before a request is answered."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from erp_twins import jsonio
from erp_twins.base import Outcome, Twin
from erp_twins.clock import TwinClock
from erp_twins.faults import CallFacts, FaultDial, FaultRule
from erp_twins.http import Request, Response
from erp_twins.ledger import Call, CallLog, Ledger
from erp_twins.netsuite import api, errors, gateway, m2m, query, roles, routes, seed, tables
from erp_twins.netsuite.access import SCOPES, Access, Certificate, Identity, Integration, LoginFailed, Token
from erp_twins.netsuite.account_ids import canonical
from erp_twins.netsuite.accounts import Account
from erp_twins.netsuite.config import DEFAULT_ACCOUNT, AccountSettings, TwinConfig
from erp_twins.netsuite.control import Control
from erp_twins.netsuite.errors import Refused
from erp_twins.netsuite.governance import Governance
from erp_twins.netsuite.people import Person
from erp_twins.netsuite.roles import Role
from erp_twins.netsuite.routes import Target
from erp_twins.netsuite.site import Site
from erp_twins.netsuite.suiteql import SuiteQL
from erp_twins.switches import changed


class NetSuiteTwin(Twin[Target]):
    """NetSuite's REST services in one object. Thread-safe; needs no sockets.

    `handle` answers requests; everything else looks in or plays the other people involved: the user in the product,
    the administrator, the network.
    """

    def __init__(
        self,
        config: TwinConfig | None = None,
        *,
        clock: TwinClock | None = None,
        account: str = DEFAULT_ACCOUNT,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(clock, sleep)
        self.config = config or TwinConfig()
        self.access = Access(self.clock)
        self._first_account = account
        self._control, self._site = Control(self), Site(self)
        self._empty()

    def _empty(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.dial = FaultDial()
        self.calls = CallLog()
        self.governance = Governance()
        self._languages: dict[tuple[str, str], SuiteQL] = {}
        if self._first_account:
            self.add_account(self._first_account)

    # --- setting up ---

    def reset(self) -> None:
        """Back to one fresh account; credentials and switches stay."""
        with self.lock:
            self._empty()
            self.version += 1

    def configure(self, **changes: Any) -> TwinConfig:
        """Change switches of the whole twin."""
        with self.lock:
            self.config = changed(self.config, changes)
            return self.config

    def add_account(self, account: str, **settings: Any) -> Account:
        """A new account with its seed data, or an existing one with some settings changed. Either spelling of the id."""
        ident = canonical(account)
        with self.lock:
            self.version += 1
            known = self.accounts.get(ident)
            if known:
                known.settings = changed(known.settings, settings)
                self._languages.clear()  # features decide which columns there are
                return known
            self.accounts[ident] = Account(ident, changed(AccountSettings(), settings), self.clock)
            seed.fill(self.accounts[ident])
            return self.accounts[ident]

    def account(self, account: str = DEFAULT_ACCOUNT) -> Account:
        return self.accounts[canonical(account)]

    def add_integration(
        self, client_id: str, client_secret: str = "", account: str = DEFAULT_ACCOUNT, **boxes: Any
    ) -> Integration:
        """An integration record; `boxes`: m2m, tba, scopes."""
        with self.lock:
            made = Integration(client_id, client_secret or f"{client_id}-secret", canonical(account), **boxes)
            self.access.integrations[client_id] = made
            return made

    def add_role(self, name: str, account: str = DEFAULT_ACCOUNT, *, ident: str = "", **rights: Any) -> Role:
        """A role; `levels` by record type (`*` for the rest) and `doors` that stand open to it. An `ident` replaces one."""
        with self.lock:
            held = self.accounts[canonical(account)].roles
            key = ident or str(1001 + len(held))
            held[key] = Role(key, name, **rights)
            self._languages.clear()
            return held[key]

    def add_certificate(
        self, client_id: str, pem: str, role: str = roles.INTEGRATOR, entity: str = "-5", kid: str = ""
    ) -> Certificate:
        """Map a certificate (PEM) to an integration, user and role; its `kid` goes into assertions."""
        with self.lock:
            return self.access.add_certificate(client_id, pem, role, entity, kid)

    def add_token(
        self, client_id: str, role: str = roles.INTEGRATOR, entity: str = "-5", *, ident: str = "", secret: str = ""
    ) -> Token:
        """A token for Token-Based Authentication."""
        with self.lock:
            return self.access.add_token(client_id, role, entity, ident, secret)

    def connect(self, account: str = DEFAULT_ACCOUNT, role: str = roles.INTEGRATOR) -> str:
        """An access token without the token endpoint, for tests that are not about logging in."""
        with self.lock:
            return self.access.grant(
                Identity(canonical(account), "twin", role, "-5", SCOPES), self.config.access_token_seconds
            )

    def refresh_sandbox(self, account: str) -> None:
        """What a refresh does to credentials: mappings and tokens are gone."""
        with self.lock:
            self.access.wipe(canonical(account))

    @contextmanager
    def person(self, account: str = DEFAULT_ACCOUNT) -> Iterator[Person]:
        """A user at work in the product, under the twin's lock."""
        with self.lock:
            self.version += 1
            yield Person(self.account(account), self.config.commit_delay_seconds)

    # --- looking in ---

    def ledger(self, account: str = DEFAULT_ACCOUNT) -> Ledger:
        with self.lock:
            return self.account(account).ledger()

    def roles(self) -> dict[str, dict[str, Role]]:
        """By account and role id."""
        return {ident: account.roles for ident, account in self.accounts.items()}

    # --- answering ---

    def _controlled(self, request: Request) -> Response:
        return self._control.answer(request)

    def _target(self, request: Request) -> Target:
        target = routes.target_of(request)
        with self.lock:
            return replace(target, account=gateway.account_named(request, self.access))

    def _facts(self, request: Request, target: Target) -> CallFacts:
        return CallFacts(request.method, request.path, target.account, target.entity, target.operation)

    def _throttled(self) -> Response:
        return gateway.too_many(replace(self.config, disguise=False), "en")

    def _refused(self, status: int) -> Response:
        return errors.answer(errors.of_status(status))

    def _coded(self, rule: FaultRule) -> Response:
        return errors.answer(errors.told(rule.status, rule.code, rule.detail, rule.pointer))

    def _served(self, request: Request, target: Target, rule: FaultRule | None, patience: float | None) -> Response:
        """Who calls is settled first, then a place is taken for as long as the call takes."""
        if target.kind in {"auth", "other"}:
            return super()._served(request, target, rule, patience)
        with self.lock:
            try:
                caller = gateway.identity(request, self.access, self.config, self.roles())
            except LoginFailed:
                refusal = gateway.refusal(request, self._language(target.account), target.account)
                return self._log(request, target, Outcome(refusal), "")
            target = replace(target, account=caller.account, identity=caller)
            admitted = self.governance.enter(caller.account, self._places(caller.account))
        if not admitted:
            return self._turned_away(request, target, patience)
        try:
            return self._worked(request, target, rule, patience)
        finally:
            with self.lock:
                self.governance.leave(caller.account)

    def _places(self, account: str) -> int | None:
        """How many calls may be in flight; a slow one that its caller gave up still works on."""
        if not self.config.govern:
            return None
        late = sum(target.account == account for _, _, target in self._late)
        settings = self.accounts[account].settings
        return (settings.integration_limit or settings.concurrency_limit) - late

    def _language(self, account: str) -> str:
        return self.accounts[account].settings.language if account in self.accounts else "en"

    def _turned_away(self, request: Request, target: Target, patience: float | None) -> Response:
        there = not self.config.disguise or self._wait(self.config.disguise_seconds, patience)
        with self.lock:
            answer = gateway.too_many(self.config, self._language(target.account))
            return self._log(request, target, Outcome(answer if there else Response(0, ending="timeout")), "")

    def _worked(self, request: Request, target: Target, rule: FaultRule | None, patience: float | None) -> Response:
        """The call's own time passes without the lock, in-process callers included: else nothing would be in flight together."""
        if self.config.latency_seconds:
            self._sleep(self.config.latency_seconds)
        return super()._served(request, target, rule, patience)

    def _touch(self, request: Request, target: Target) -> None:
        account, kind = self.accounts.get(target.account), target.record_type
        if account and kind and target.ident and request.method != "GET":
            with suppress(Refused):
                Person(account).edit(kind.name, target.ident, {})

    def _outcome(self, request: Request, target: Target) -> Outcome:
        if target.operation == "token":
            return Outcome(m2m.answer(request, self.access, self.config, self.roles()))
        if target.operation == "liveness":
            return Outcome(Response(204))
        if target.identity is None:
            return Outcome(self._site.answer(request))
        account = self.accounts[target.account]
        try:
            return Outcome(self._performed(request, target, account, account.roles[target.identity.role]))
        except Refused as refused:
            return Outcome(errors.answer(refused, account.settings.language))

    def _performed(self, request: Request, target: Target, account: Account, role: Role) -> Response:
        if target.operation == "suiteql":
            return query.answer(request, role, self.config, self._suiteql(account, role))
        return api.perform(api.Call(request, target, account, role, self.config))

    def _suiteql(self, account: Account, role: Role) -> SuiteQL:
        """The language as a role speaks it; kept, so that its tables stay loaded."""
        key = (account.ident, role.ident)
        if key not in self._languages:
            self._languages[key] = SuiteQL(
                lambda: tables.of(account, role),
                lambda: tables.dialect(account, role, crashing=frozenset(self.config.crashing_columns)),
                self.clock.now,
            )
        return self._languages[key]

    def _entry(self, request: Request, target: Target) -> Call | None:
        if target.operation in {"page", "liveness"}:
            return None
        return Call(
            request.method,
            request.path,
            target.kind,
            realm=target.account,
            entity=target.entity,
            operation=target.operation,
            requestid=request.header("x-netsuite-idempotency-key"),
        )

    def _stamped(self, answer: Response) -> Response:
        """With the id of the operation, which NetSuite's support asks for."""
        return answer.with_headers(("x-n-operationid", str(uuid.uuid4())))

    # --- keeping ---

    def dump_state(self) -> str:
        """Everything that must survive a restart, as JSON."""
        with self.lock:
            accounts = {ident: account.state() for ident, account in self.accounts.items()}
            return jsonio.dumps({"accounts": accounts, "access": self.access.state(), "clock": self.clock.state()})

    def load_state(self, text: str) -> None:
        """Take over a dumped state; credentials registered before stay registered."""
        state = jsonio.loads(text)
        with self.lock:
            registered = {name: dict(getattr(self.access, name)) for name in ("integrations", "certificates", "tokens")}
            self.access.restore(state["access"])
            for name, held in registered.items():
                getattr(self.access, name).update(held)
            self.clock.restore(state["clock"])
            self.accounts = {ident: Account.revived(row, self.clock) for ident, row in state["accounts"].items()}
            self._languages.clear()
