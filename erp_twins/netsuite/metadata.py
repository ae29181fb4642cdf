"""The metadata catalogue: which record types there are, and their fields as a JSON Schema (reference 3.9)."""

from __future__ import annotations

from erp_twins import jsonio
from erp_twins.http import Request, Response
from erp_twins.jsonio import Doc
from erp_twins.netsuite import conditions, render
from erp_twins.netsuite.accounts import Account
from erp_twins.netsuite.errors import Refused
from erp_twins.netsuite.record_types import BY_SEGMENT, TYPES
from erp_twins.netsuite.roles import Role
from erp_twins.netsuite.schema import Field, Kind, RecordType

_SCHEMA, _SWAGGER, _LIST = "application/schema+json", "application/swagger+json", "application/json"
_PLAIN: dict[Kind, Doc] = {
    "integer": {"type": "integer", "format": "int64"},
    "number": {"type": "number", "format": "double"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
}


def answer(request: Request, name: str, account: Account, role: Role) -> Response:
    """The list, or the schema of one type or of those that `select` names. No field is said to be required."""
    chosen = [name] if name else [word for word in request.param("select").split(",") if word]
    kinds = [_kind(word) for word in chosen] or [one for one in TYPES.values() if role.may(one.name, "view")]
    accept = request.header("accept").partition(";")[0]
    if accept not in {_SCHEMA, _SWAGGER}:
        return _json({"items": [_entry(request, one) for one in kinds]}, _LIST)
    if accept == _SCHEMA and name:
        return _json({"$schema": "http://json-schema.org/draft-06/schema#", **_schema(account, kinds[0])}, _SCHEMA)
    schemas = {one.name: _schema(account, one) for one in kinds}
    if accept == _SCHEMA:
        return _json({"definitions": schemas}, _SCHEMA)
    return _json({"openapi": "3.0.1", "info": {"title": "NetSuite REST Record API", "version": "v1"}, "paths": {}, "components": {"schemas": schemas}}, _SWAGGER)  # fmt: skip


def _kind(name: str) -> RecordType:
    kind = BY_SEGMENT.get(name.lower())
    if kind is None:
        raise Refused(404, "NONEXISTENT_RECORD_TYPE", "no_type", type=name)
    return kind


def _entry(request: Request, kind: RecordType) -> Doc:
    href = f"{request.base_url}{render.ROOT}/metadata-catalog/{kind.name}"
    return {"name": kind.name, "links": [{"rel": "canonical", "href": href, "mediaType": _LIST}]}


def _schema(account: Account, kind: RecordType) -> Doc:
    known = [one for one in kind.fields.values() if not one.feature or account.has(one.feature)]
    shown = {one.name: _property(one, filterable=conditions.filterable(account, kind, one)) for one in known}
    custom = {name: {"type": "string", "x-ns-custom-field": True} for name in account.settings.custom_fields}
    return {"type": "object", "properties": {**shown, **custom}}


def _property(one: Field, *, filterable: bool) -> Doc:
    nested = one.kind in {"sublist", "subrecord", "refs", "ref", "enum"}
    shape: Doc = {"type": "object"} if nested else dict(_PLAIN.get(one.kind, {"type": "string"}))
    return {"title": one.label, **shape, "nullable": True, "x-ns-filterable": filterable, **({"readOnly": True} if one.readonly else {})}  # fmt: skip


def _json(body: Doc, media_type: str) -> Response:
    return Response(200, jsonio.dumps(body).encode(), (("content-type", media_type),))
