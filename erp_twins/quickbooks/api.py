"""The Accounting API of one company: which request means what, and its answer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from erp_twins.base import Outcome
from erp_twins.http import Request, Response, json_answer
from erp_twins.jsonio import Doc
from erp_twins.ledger import CallKind
from erp_twins.quickbooks import batch, cdc, faults, idempotency, operations, query
from erp_twins.quickbooks.company import Company
from erp_twins.quickbooks.config import TwinConfig
from erp_twins.quickbooks.entities import BY_PATH, SINGLETONS
from erp_twins.quickbooks.faults import QboFault
from erp_twins.quickbooks.paper import pdf_of

_PREFIX = "/v3/company/"
_WRITES = frozenset({"create", "update", "delete", "void", "send", "batch"})


@dataclass(frozen=True)
class Target:
    """What a request aims at. `operation` is one of create, update, delete, void, send, batch, read, query, cdc, pdf, unknown."""

    realm: str
    entity: str = ""
    operation: str = "unknown"
    ident: str = ""

    @property
    def kind(self) -> CallKind:
        return "write" if self.operation in _WRITES else "read"


@dataclass(frozen=True)
class Call:
    """One authorised request to a company."""

    request: Request
    target: Target
    company: Company
    config: TwinConfig
    items: list[Doc] = field(default_factory=list)


def target_of(request: Request) -> Target | None:
    """Where a request to `/v3/company/...` aims, or None for another path."""
    if not request.path.startswith(_PREFIX):
        return None
    realm, *rest = request.path.removeprefix(_PREFIX).strip("/").split("/")
    head = rest[0].lower() if rest else ""
    if head == "query":
        return Target(realm, query.entity_of(_statement(request)), "query")
    if head in {"cdc", "batch"}:
        return Target(realm, "", head)
    return _entity_target(request, realm, rest)


def _entity_target(request: Request, realm: str, rest: list[str]) -> Target:
    schema = BY_PATH.get(rest[0].lower()) if rest else None
    if schema is None:
        return Target(realm)
    ident = rest[1] if len(rest) > 1 else ""
    if len(rest) > 2:
        return Target(realm, schema.name, rest[2].lower() if rest[2].lower() in {"send", "pdf"} else "unknown", ident)
    return Target(realm, schema.name, "read" if request.method == "GET" else _operation(request), ident)


def _operation(request: Request) -> str:
    wanted = request.param("operation").lower()
    if wanted == "void" or "void" in _options(request):
        return "void"
    if wanted == "delete":
        return "delete"
    try:
        return "update" if request.document().get("Id") else "create"
    except ValueError:
        return "create"


def _options(request: Request) -> frozenset[str]:
    return frozenset(request.param("include").lower().split(","))


def _statement(request: Request) -> str:
    return request.param("query") or request.body.decode("utf-8", "replace")


def wants_json(request: Request) -> bool:
    """JSON was asked for, by header or by `format=json`; a bare `*/*` would get XML from the service."""
    accepts = request.header("accept").lower()
    return "json" in accepts or request.param("format") == "json" or request.path.endswith("/pdf")


def perform(call: Call) -> Outcome:
    """The answer to an authorised request; refusals become fault bodies."""
    try:
        return _perform(call)
    except QboFault as refused:
        return Outcome(faults.answer(refused, call.company.now()))


def _perform(call: Call) -> Outcome:
    if call.target.operation not in _WRITES:
        return Outcome(_read(call))
    call = replace(call, items=batch.items_of(_document(call))) if call.target.operation == "batch" else call
    requestid = call.request.param("requestid")
    key = idempotency.key_of(requestid, call.items or None) if requestid else ""
    stored = idempotency.recall(call.company, call.config, key)
    if stored:
        return Outcome(stored, replayed=True)
    response = _first_time(call, requestid)
    idempotency.remember(call.company, call.config, key, response)
    return Outcome(response, key=key)


def _first_time(call: Call, requestid: str) -> Response:
    with call.company.acting("api", requestid):
        try:
            return _write(call)
        except QboFault as refused:
            return faults.answer(refused, call.company.now())


def _document(call: Call) -> Doc:
    """The JSON body. Faults 1050 and 2010 for what is none."""
    kind = call.request.header("content-type")
    if kind and "json" not in kind:
        raise faults.fault(1050, "Unsupported content type", f"Content type {kind} is not supported")
    try:
        return call.request.document()
    except ValueError as error:
        raise QboFault(faults.unknown_property(f"the body is not valid JSON in UTF-8 ({error})")) from error


def _write(call: Call) -> Response:
    target, company = call.target, call.company
    if target.operation == "batch":
        return _enveloped(company, {"BatchItemResponse": batch.run(company, call.items)})
    schema = BY_PATH[target.entity.lower()]
    if target.operation == "send":
        operations.refuse_closed_company(company)
        sent = operations.send(company, schema, target.ident, call.request.param("sendTo"))
        return _enveloped(company, {schema.name: sent})
    done = operations.write(company, schema, _document(call), target.operation, _options(call.request))
    return _enveloped(company, {schema.name: done})


def _read(call: Call) -> Response:
    target, company = call.target, call.company
    if target.operation == "query":
        return _enveloped(company, {"QueryResponse": query.run(company, _statement(call.request))})
    if target.operation == "cdc":
        entities, since = call.request.param("entities"), call.request.param("changedSince")
        return _enveloped(company, {"CDCResponse": [{"QueryResponse": cdc.run(company, call.config, entities, since)}]})
    if target.operation == "pdf":
        form = company.find(target.entity, target.ident)
        return Response(200, pdf_of(form), (("content-type", "application/pdf"),))
    if target.operation != "read":
        raise faults.fault(
            500, "Unsupported Operation", f"Operation {call.request.method} {call.request.path} is not supported."
        )
    return _enveloped(company, {target.entity: _document_read(call)})


def _document_read(call: Call) -> Doc:
    target, company = call.target, call.company
    if target.entity == "ExchangeRate":
        code = call.request.param("sourcecurrencycode")
        home = {
            "SourceCurrencyCode": code,
            "TargetCurrencyCode": company.settings.currency,
            "Rate": 1,
            "AsOfDate": company.today(),
        }
        return company.get("ExchangeRate", code) or home
    if not target.ident and target.entity not in SINGLETONS:
        raise faults.unsupported("read", target.entity)
    return operations.read(company, BY_PATH[target.entity.lower()], target.ident)


def _enveloped(company: Company, body: Doc) -> Response:
    return json_answer({**body, "time": faults.stamp(company.now())})
