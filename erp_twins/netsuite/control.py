"""The control API under `/_twin/`: accounts, credentials, and the people who use the product."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from erp_twins import controls
from erp_twins.controls import Action
from erp_twins.http import Request, Response, json_answer
from erp_twins.jsonio import Doc
from erp_twins.netsuite.accounts import Account, public
from erp_twins.netsuite.config import DEFAULT_ACCOUNT
from erp_twins.netsuite.errors import Refused
from erp_twins.netsuite.people import Person
from erp_twins.netsuite.roles import INTEGRATOR
from erp_twins.switches import plain

if TYPE_CHECKING:
    from erp_twins.netsuite.twin import NetSuiteTwin


@dataclass(frozen=True)
class Control:
    """The shared actions (`controls`), and those that only NetSuite has."""

    twin: NetSuiteTwin

    def answer(self, request: Request) -> Response:
        try:
            return controls.answer(self._route, request)
        except Refused as refused:
            return json_answer({"error": str(refused), "code": refused.code}, 400)

    def _route(self, request: Request) -> Any:
        parts = request.path.removeprefix("/_twin/").strip("/").split("/")
        if parts[0] == "accounts" and len(parts) == 3:
            return self._account(parts[1], parts[2], request.document())
        return controls.dispatched(self._actions(), request)

    def _actions(self) -> dict[str, Action]:
        return {
            **controls.actions(self.twin, "netsuite"),
            "GET accounts": lambda _request, _body: [_shown(one) for one in self.twin.accounts.values()],
            "POST accounts": self._add_account,
            "POST integrations": self._add_integration,
            "POST certificates": self._add_certificate,
            "POST tokens": self._add_token,
            "POST tokens/expire": self._expire,
            "GET audit": lambda _request, _body: self.twin.access.audit,
            "GET ledger": lambda request, _body: self.twin.ledger(request.param("realm", DEFAULT_ACCOUNT)).to_json(),
            "GET calls/summary": self._summary,
            "GET governance": lambda _request, _body: self.twin.governance.summary(),
        }

    def _summary(self, _request: Request, _body: Doc) -> Doc:
        return {**self.twin.calls.summary(), "governance": self.twin.governance.summary()}

    def _add_account(self, _request: Request, body: Doc) -> Doc:
        """`{"account", ...settings}`; settings may also stand under "settings"."""
        flat = {**body.pop("settings", {}), **body}
        return _shown(self.twin.add_account(str(flat.pop("account")), **flat))

    def _add_integration(self, _request: Request, body: Doc) -> Doc:
        """`{"clientId", "clientSecret", "account", "m2m", "tba", "scopes"}`."""
        boxes: Doc = {name: body[name] for name in ("m2m", "tba") if name in body}
        boxes |= {"scopes": tuple(body["scopes"])} if "scopes" in body else {}
        secret, account = body.get("clientSecret", ""), body.get("account", DEFAULT_ACCOUNT)
        return asdict(self.twin.add_integration(body["clientId"], secret, account, **boxes))

    def _add_certificate(self, _request: Request, body: Doc) -> Doc:
        """`{"clientId", "pem", "role", "entity"}`; the answer's `kid` goes into assertions."""
        role, entity = str(body.get("role", INTEGRATOR)), str(body.get("entity", "-5"))
        made = self.twin.add_certificate(body["clientId"], body["pem"], role, entity, body.get("kid", ""))
        return {"kid": made.kid, "validUntil": made.valid_until}

    def _add_token(self, _request: Request, body: Doc) -> Doc:
        """`{"clientId", "role", "entity"}`; gives the token's id and secret."""
        role, entity = str(body.get("role", INTEGRATOR)), str(body.get("entity", "-5"))
        made = self.twin.add_token(body["clientId"], role, entity)
        return {"tokenId": made.token_id, "tokenSecret": made.token_secret}

    def _expire(self, _request: Request, body: Doc) -> Doc:
        self.twin.access.expire_bearers(str(body.get("account", "")))
        return {"expired": True}

    def _account(self, ident: str, deed: str, body: Doc) -> Any:
        """`/_twin/accounts/{id}/{deed}`."""
        account = self.twin.account(ident)
        if deed == "settings":
            return _shown(self.twin.add_account(ident, **body))
        if deed == "roles":
            rights = {"levels": body.get("levels", {"*": "full"})}
            rights |= {"doors": tuple(body["doors"])} if "doors" in body else {}
            return asdict(self.twin.add_role(body["name"], ident, ident=str(body.get("id", "")), **rights))
        if deed == "refresh":
            self.twin.refresh_sandbox(ident)
            return {"refreshed": account.ident}
        done = _deeds(Person(account, self.twin.config.commit_delay_seconds), body)[deed]()
        return public(done)


def _deeds(person: Person, body: Doc) -> dict[str, Callable[[], Doc]]:
    name, ident = str(body.get("type", "")), str(body.get("id", ""))
    return {
        "create": lambda: person.create(name, body["body"]),
        "edit": lambda: person.edit(name, ident, body["changes"], *body.get("replace", [])),
        "deactivate": lambda: person.deactivate(name, ident),
        "delete": lambda: person.delete(name, ident),
        "void": lambda: person.void(name, ident),
        "bill": lambda: person.bill(ident, _by_line(body), **body.get("body", {})),
        "payments": lambda: person.pay(str(body.get("invoiceId", ident)), body.get("amount"), **body.get("body", {})),
        "credit": lambda: person.credit(ident, **body.get("body", {})),
        "approve": lambda: person.approve(ident),
        "close": lambda: person.close(ident),
        "cancel": lambda: person.cancel(ident),
        "fulfil": lambda: person.fulfil(ident, _by_line(body)),
        "lock": lambda: _locked(person, name, ident, locked=bool(body.get("locked", True))),
    }


def _by_line(body: Doc) -> dict[int, Any] | None:
    """JSON has texts for keys."""
    sent = body.get("quantities")
    return {int(line): quantity for line, quantity in sent.items()} if sent else None


def _locked(person: Person, name: str, ident: str, *, locked: bool) -> Doc:
    person.lock(name, ident, locked=locked)
    return {"locked": locked}


def _shown(account: Account) -> Doc:
    return {"account": account.ident, "settings": plain(account.settings), "counts": account.ledger().counts}
