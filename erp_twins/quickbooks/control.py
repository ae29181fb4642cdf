"""The control API under `/_twin/`: seed, clock, faults, ledger, and the people who use the product."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from erp_twins import controls
from erp_twins.controls import Action
from erp_twins.http import Request, Response, json_answer
from erp_twins.jsonio import Doc
from erp_twins.quickbooks.company import Company
from erp_twins.quickbooks.config import DEFAULT_REALM
from erp_twins.quickbooks.faults import QboFault
from erp_twins.quickbooks.people import Person
from erp_twins.switches import plain

if TYPE_CHECKING:
    from erp_twins.quickbooks.twin import QuickBooksTwin

_WEBHOOK_NAMES = {"url": "webhook_url", "verifierToken": "webhook_verifier_token", "format": "webhook_format"}


@dataclass(frozen=True)
class Control:
    """The shared actions (`controls`), and those that only QuickBooks has."""

    twin: QuickBooksTwin

    def answer(self, request: Request) -> Response:
        try:
            return controls.answer(self._route, request)
        except QboFault as refused:
            return json_answer({"error": str(refused), "Fault": refused.to_json()}, 400)

    def _route(self, request: Request) -> Any:
        parts = request.path.removeprefix("/_twin/").strip("/").split("/")
        if parts[0] == "companies" and len(parts) == 3:
            return self._person(self.twin.companies[parts[1]], parts[2], request.document())
        return controls.dispatched(self._actions(), request)

    def _actions(self) -> dict[str, Action]:
        return {
            **controls.actions(self.twin, "quickbooks"),
            "GET companies": lambda _request, _body: [_company(one) for one in self.twin.companies.values()],
            "POST companies": self._add_company,
            "POST apps": self._add_app,
            "GET ledger": lambda request, _body: self.twin.ledger(request.param("realm", DEFAULT_REALM)).to_json(),
            "GET calls/summary": self._summary,
            "POST tokens/expire": self._expire,
            "POST webhooks/target": self._target,
            "POST webhooks/flush": self._flush,
            "GET webhooks": self._webhooks,
        }

    def _add_company(self, _request: Request, body: Doc) -> Doc:
        """`{"realm", ...settings}`; settings may also stand under "settings" or "preferences"."""
        flat = {**body.pop("settings", {}), **body.pop("preferences", {}), **body}
        return _company(self.twin.add_company(str(flat.pop("realm")), **flat))

    def _add_app(self, _request: Request, body: Doc) -> Doc:
        uris = tuple(body.get("redirectUris", ()))
        app = self.twin.add_app(body["clientId"], body["clientSecret"], uris, body.get("name", "An app"))
        return {"clientId": app.client_id, "redirectUris": list(app.redirect_uris), "name": app.name}

    def _summary(self, _request: Request, _body: Doc) -> Doc:
        return {**self.twin.calls.summary(), "corePlusReads": dict(self.twin.throttle.core_plus)}

    def _expire(self, _request: Request, body: Doc) -> Doc:
        self.twin.grants.expire_access(str(body.get("realm", "")))
        return {"expired": True}

    def _target(self, _request: Request, body: Doc) -> Doc:
        unknown = body.keys() - _WEBHOOK_NAMES.keys()
        if unknown:
            raise ValueError(f"unknown fields: {', '.join(sorted(unknown))}")
        self.twin.configure(**{_WEBHOOK_NAMES[name]: value for name, value in body.items()})
        return {"url": self.twin.config.webhook_url, "format": self.twin.config.webhook_format}

    def _flush(self, _request: Request, _body: Doc) -> Doc:
        """Make everything deliverable at once; the deliverer posts it."""
        return {"deliveries": self.twin.webhooks.release()}

    def _webhooks(self, _request: Request, _body: Doc) -> Doc:
        rows = [
            {"id": one.ident, "realm": one.realm, "attempts": one.attempts, "due": one.due, "body": one.body.decode()}
            for one in self.twin.webhooks.deliveries
        ]
        return {"events": len(self.twin.webhooks.events), "deliveries": rows}

    def _person(self, company: Company, deed: str, body: Doc) -> Any:
        """`/_twin/companies/{realm}/{deed}`."""
        person = Person(company)
        if deed == "disconnect":
            return {"ended": self.twin.grants.disconnect(company.realm)}
        if deed == "payments":
            return person.pay(
                invoice_id=str(body.get("invoiceId", "")),
                doc_number=str(body.get("docNumber", "")),
                amount=body.get("amount"),
                method=str(body.get("method", "")),
            )
        return _deeds(person, body)[deed]()


def _deeds(person: Person, body: Doc) -> dict[str, Callable[[], Doc]]:
    entity, ident = str(body.get("entity", "Payment")), str(body.get("id", ""))
    return {
        "edit": lambda: person.edit(entity, ident, body["changes"]),
        "deactivate": lambda: person.deactivate(entity, ident),
        "void": lambda: person.void(entity, ident),
        "delete": lambda: person.delete(entity, ident),
        "merge": lambda: person.merge(entity, ident, str(body["deletedId"])),
        "deposit": lambda: person.deposit(str(body.get("paymentId", ident))),
    }


def _company(company: Company) -> Doc:
    return {"realm": company.realm, "settings": plain(company.settings), "counts": company.ledger().counts}
