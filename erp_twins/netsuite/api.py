"""The REST services of one account: an authorised request and its answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast, get_args

from erp_twins import jsonio
from erp_twins.http import Request, Response
from erp_twins.jsonio import Doc
from erp_twins.netsuite import batches, errors, jobs, listing, metadata, records, render, transforms
from erp_twins.netsuite.accounts import Account
from erp_twins.netsuite.bodies import Reader, Validation
from erp_twins.netsuite.config import TwinConfig
from erp_twins.netsuite.errors import Refused, bad_content, bad_header, bad_parameter, wrong_method
from erp_twins.netsuite.record_types import TYPES
from erp_twins.netsuite.records import Write
from erp_twins.netsuite.render import View
from erp_twins.netsuite.roles import Role
from erp_twins.netsuite.routes import Target
from erp_twins.netsuite.schema import RecordType

_SINGULAR = "application/vnd.oracle.resource+json; type=singular"
_COLLECTION = "application/vnd.oracle.resource+json; type=collection"
_NEEDED = {"read": "view", "list": "view", "create": "create", "update": "edit", "upsert": "edit", "delete": "full"}


@dataclass(frozen=True)
class Call:
    """One authorised request to an account."""

    request: Request
    target: Target
    account: Account
    role: Role
    config: TwinConfig

    @property
    def kind(self) -> RecordType:
        kind = self.target.record_type
        if kind is None:
            raise Refused(404, "NONEXISTENT_RECORD_TYPE", "no_type", type=self.target.segment)
        return kind


def perform(call: Call) -> Response:
    """The answer to a record, metadata or governance request. Raises Refused."""
    _check_language(call)
    with call.account.acting("api", _delay(call.config)):
        if call.target.kind == "write" and jobs.wanted(call.request):
            tasks = [partial(_work, one) for one in _parts(call)]
            return jobs.submitted(call.account, call.request, tasks, call.config.idempotency_status)
        return _work(call)


def _work(call: Call) -> Response:
    return _PERFORM.get(call.target.operation, _unknown)(call)


def _parts(call: Call) -> list[Call]:
    """The request itself, or those that a batch stands for: one to a collection that creates no single record."""
    single = call.target.ident or (
        call.target.operation == "create" and "type=collection" not in call.request.header("content-type")
    )
    if single:
        return [call]
    return [
        replace(call, request=request, target=replace(call.target, ident=ident))
        for ident, request in batches.split(call.request)
    ]


def _delay(config: TwinConfig) -> int:
    return config.commit_delay_seconds if config.commit_delay_for == "everyone" else 0


def _check_language(call: Call) -> None:
    """Only the company's own language is served."""
    wanted = call.request.header("accept-language").split(",")[0].split(";")[0].strip().lower()
    if wanted not in {"", "*"} and wanted.split("-")[0] != call.account.settings.language:
        raise bad_header("Accept-Language")


def _unknown(call: Call) -> Response:
    if call.target.operation in {"create", "update", "upsert", "delete"} or call.request.method not in {"GET", "POST"}:
        raise wrong_method(call.request.method)
    raise Refused(404, "INVALID_URL", "no_path")


def _permit(call: Call, kind: RecordType, level: str) -> None:
    if not call.role.may(kind.name, level):
        raise errors.no_permission(kind.permission)


def _answer(body: Any, media_type: str = _SINGULAR) -> Response:
    return Response(200, jsonio.dumps(body).encode(), (("content-type", media_type),))


def _done(call: Call, kind: RecordType, doc: Doc, dropped: list[str]) -> Response:
    """204, nothing but the address of the record: its id stands in `Location` alone."""
    headers = [("location", f"{call.request.base_url}{render.ROOT}/{kind.name}/{doc['id']}")]
    if dropped:
        warning = f"Unknown fields were ignored: {', '.join(dropped)}"
        headers.append(("x-netsuite-propertyvalidation", f'PropertyName="warning"; {warning}'))
    return Response(204, b"", tuple(headers))


# --- reading ---


def _view(call: Call) -> View:
    expand = call.request.param("expandSubResources").lower() == "true"
    names = frozenset(name.strip().lower() for name in call.request.param("fields").split(",") if name.strip())
    if expand and names:
        raise bad_parameter("fields", "expand_fields")
    simple = call.request.param("simpleEnumFormat").lower() == "true"
    return View(call.account, call.request.base_url, expand, simple, names)


def _read(call: Call) -> Response:
    kind = call.kind
    _permit(call, kind, "view")
    account = call.account
    doc = account.seen(kind.name, account.resolved(kind.name, call.target.ident))
    if doc is None:
        raise errors.no_such_record()
    records.refuse_locked(account, kind, doc)
    view = _view(call)
    return _answer(_below(view, kind, doc, call.target.rest) if call.target.rest else view.record(kind, doc))


def _below(view: View, kind: RecordType, doc: Doc, rest: tuple[str, ...]) -> Doc:
    """A sublist, a line of it, or a subrecord, found in the expanded record by its path."""
    whole = View(view.account, view.base, expand=True, simple_enums=view.simple_enums).record(kind, doc)
    here: Any = whole
    path = f"{kind.name}/{doc['id']}"
    for part in rest:
        path += f"/{part}"
        here = _step(here, part, f"{view.base}{render.ROOT}/{path}")
    return cast(Doc, here)


def _step(here: Any, part: str, href: str) -> Any:
    if "items" in here:
        found = (line for line in here["items"] if line["links"][0]["href"].lower() == href.lower())
    else:
        found = (value for name, value in here.items() if name.lower() == part.lower() and isinstance(value, dict))
    step = next(found, None)
    if step is None:
        raise errors.no_such_record()
    return step


def _list(call: Call) -> Response:
    kind = call.kind
    if not call.role.opens("workbook"):
        raise errors.user_error("no_role")
    _permit(call, kind, "view")
    page = listing.page(call.account, kind, call.request, call.config)
    return _answer(page, _COLLECTION)


# --- writing ---


def _document(request: Request) -> Doc:
    """The JSON object of the body; a JSON text that holds JSON is none."""
    try:
        return request.document()
    except ValueError as error:
        raise bad_content() from error


def _write(call: Call) -> Write:
    header = call.request.header("x-netsuite-propertynamevalidation").lower()
    validation = header if header in get_args(Validation) else call.config.unknown_fields
    replaced = frozenset(name.strip() for name in call.request.param("replace").split(",") if name.strip())
    return Write(_document(call.request), Reader(call.account, cast(Validation, validation)), replaced)


def _written(call: Call) -> Response:
    """Any write to a record. Only a PUT names an external id that need not exist; a write to the collection is a batch."""
    kind, operation, ident = call.kind, call.target.operation, call.target.ident
    _permit(call, kind, _NEEDED[operation])
    if not kind.writable or call.target.rest or (operation == "create") == bool(ident):
        raise wrong_method(call.request.method)
    if operation == "delete":
        records.delete(call.account, kind, ident)
        return Response(204)
    write = _write(call)
    return _done(call, kind, _WRITERS[operation](call.account, kind, ident, write), write.reader.dropped)


def _upsert(account: Account, kind: RecordType, ident: str, write: Write) -> Doc:
    if not ident.lower().startswith("eid:"):
        raise wrong_method("PUT")
    return records.upsert(account, kind, ident[4:], write)


_WRITERS: dict[str, Callable[[Account, RecordType, str, Write], Doc]] = {
    "create": lambda account, kind, _ident, write: records.create(account, kind, write),
    "update": records.update,
    "upsert": _upsert,
}


def _transform(call: Call) -> Response:
    name = call.target.rest[0].lower() if call.target.rest else ""
    target = next((one for one in TYPES.values() if one.segment == name), None)
    if target is None or call.request.method != "POST":
        raise Refused(404, "NONEXISTENT_RECORD_TYPE", "no_type", type=name)
    _permit(call, call.kind, "view")
    _permit(call, target, "create")
    write = _write(call)
    doc = transforms.transform(call.account, call.kind, call.target.ident, target.name, write)
    return _done(call, target, doc, write.reader.dropped)


# --- about the account ---


def _metadata(call: Call) -> Response:
    return metadata.answer(call.request, call.target.ident, call.account, call.role)


def _governance(call: Call) -> Response:
    if call.config.governance_for == "administrator" and not call.role.opens("administrator"):
        raise errors.no_permission("Setup -> Integration Management")
    settings = call.account.settings
    limit = settings.concurrency_limit
    body = {"accountConcurrencyLimit": limit, "accountUnallocatedConcurrencyLimit": limit - settings.integration_limit}
    if settings.integration_limit:
        own = {"integrationLimitType": "integrationSpecific", "integrationConcurrencyLimit": settings.integration_limit}
        return _answer({**body, **own})
    return _answer({**body, "integrationLimitType": "accountLimit"})


def _job(call: Call) -> Response:
    return jobs.answer(call.account, call.request, call.target.ident, call.target.rest)


_PERFORM: dict[str, Callable[[Call], Response]] = {
    "read": _read,
    "list": _list,
    "create": _written,
    "update": _written,
    "upsert": _written,
    "delete": _written,
    "transform": _transform,
    "metadata": _metadata,
    "governance": _governance,
    "job": _job,
}
