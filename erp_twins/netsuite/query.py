"""The SuiteQL endpoint: headers, paging, permissions and envelope around the language (reference 5.1)."""

from __future__ import annotations

from erp_twins import jsonio
from erp_twins.http import Request, Response
from erp_twins.jsonio import Doc
from erp_twins.netsuite import paging
from erp_twins.netsuite.config import TwinConfig
from erp_twins.netsuite.errors import Refused, bad_content, bad_header, user_error, wrong_method
from erp_twins.netsuite.roles import Role
from erp_twins.netsuite.suiteql import QueryRefused, SuiteQL

_MEDIA_TYPE = "application/vnd.oracle.resource+json; type=collection"


def answer(request: Request, role: Role, config: TwinConfig, language: SuiteQL) -> Response:
    """A page of rows, each with its empty links. Raises Refused."""
    if request.method != "POST":
        raise wrong_method(request.method)
    if "transient" not in request.header("prefer").lower():
        raise bad_header("Prefer")
    if not role.opens("workbook"):
        raise user_error("no_role")
    window = paging.window(request, config)
    text, params = _statement(request)
    try:
        page = language.run(text, params, limit=min(window.limit, window.cap - window.offset), offset=window.offset)
    except QueryRefused as refused:
        raise _refusal(refused) from refused
    rows: list[Doc] = [{"links": [], **row} for row in page.rows]
    body = jsonio.dumps(window.envelope(request, rows, page.total))
    return Response(200, body.encode(), (("content-type", _MEDIA_TYPE),))


def _statement(request: Request) -> tuple[str, list[str]]:
    try:
        body = request.document()
    except ValueError as error:
        raise bad_content() from error
    text, params = body.get("q"), body.get("params", [])
    if not isinstance(text, str) or not text.strip() or not isinstance(params, list):
        raise bad_content("q", "value", field="q")
    return text, [str(one) for one in params]


def _refusal(refused: QueryRefused) -> Refused:
    if refused.status >= 500:
        return Refused(refused.status, refused.code, "unexpected", ident="twin-query")
    return Refused(refused.status, refused.code, "query", pointer=("errorQueryParam", "q"), detail=refused.detail)
