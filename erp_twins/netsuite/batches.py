"""Batches: one request to a collection that stands for up to a hundred to its records (reference 3.7)."""

from __future__ import annotations

from dataclasses import replace

from erp_twins import jsonio
from erp_twins.http import Request
from erp_twins.jsonio import Doc
from erp_twins.netsuite.errors import Refused, bad_content

MOST = 100


def split(request: Request) -> list[tuple[str, Request]]:
    """The id and the request of every record; the internal id wins over the external one, which is all a PUT knows."""
    if request.method == "DELETE":
        parts = [(ident, request) for ident in request.param("ids").split(",") if ident]
    else:
        parts = [(_ident(request.method, item), replace(request, body=jsonio.dumps(_body(item)).encode())) for item in _items(request)]  # fmt: skip
    if not 1 <= len(parts) <= MOST:
        raise Refused(400, "INVALID_REQUEST", "batch", most=MOST)
    return parts


def _items(request: Request) -> list[Doc]:
    try:
        items = request.document().get("items")
    except ValueError as error:
        raise bad_content() from error
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise bad_content("items")
    return items


def _ident(method: str, item: Doc) -> str:
    if method == "POST":
        return ""
    if item.get("id") and method != "PUT":
        return str(item["id"])
    return f"eid:{item.get('externalId', '')}"


def _body(item: Doc) -> Doc:
    return {name: value for name, value in item.items() if name != "id"}
