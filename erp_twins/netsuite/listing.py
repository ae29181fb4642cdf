"""Collections: ids only, chosen by `q` (reference 3.5)."""

from __future__ import annotations

from erp_twins.http import Request
from erp_twins.jsonio import Doc
from erp_twins.netsuite import conditions, paging, render
from erp_twins.netsuite.accounts import Account
from erp_twins.netsuite.config import TwinConfig
from erp_twins.netsuite.schema import RecordType


def page(account: Account, kind: RecordType, request: Request, config: TwinConfig) -> Doc:
    """One page of a record type. Raises Refused."""
    window = paging.window(request, config)
    accepts = conditions.parsed(account, kind, request.param("q"))
    ids = [doc["id"] for doc in account.seen_rows(kind.name) if accepts(doc)]
    stop = min(window.offset + window.limit, window.cap)
    links = f"{request.base_url}{render.ROOT}/{kind.name}/"
    items: list[Doc] = [
        {"links": [{"rel": "self", "href": links + ident}], "id": ident} for ident in ids[window.offset : stop]
    ]
    return window.envelope(request, items, len(ids))
