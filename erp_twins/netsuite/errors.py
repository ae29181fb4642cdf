"""Refusals as NetSuite words them (reference section 7): status, `o:errorDetails`, media type, language of the account."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from erp_twins import jsonio
from erp_twins.http import Response
from erp_twins.jsonio import Doc
from erp_twins.netsuite import texts

_SECTIONS = {
    400: "15.5.1", 401: "15.5.2", 403: "15.5.4", 404: "15.5.5", 405: "15.5.6", 409: "15.5.10", 429: "15.5", 500: "15.6.1",
}  # fmt: skip
_TITLES = {"IDEMPOTENCY_ERROR": "Conflict"}
MEDIA_TYPE = "application/vnd.oracle.resource+json; type=error"


class Refused(Exception):
    """A request that NetSuite would refuse. `text` names an entry of `texts`; `values` fill its blanks."""

    def __init__(
        self, status: int, code: str, text: str, *, pointer: tuple[str, str] | None = None, **values: Any
    ) -> None:
        super().__init__(f"{status} {code}: {texts.text(text, 'en', values)}")
        self.status, self.code, self.pointer = status, code, pointer
        self._text, self._values = text, values

    def detail(self, language: str) -> str:
        return texts.text(self._text, language, self._values)


def answer(refused: Refused, language: str = "en", *headers: tuple[str, str]) -> Response:
    error: Doc = {"detail": refused.detail(language), "o:errorCode": refused.code}
    if refused.pointer:
        error[f"o:{refused.pointer[0]}"] = refused.pointer[1]
    body: Doc = {
        "type": f"https://www.rfc-editor.org/rfc/rfc9110.html#section-{_SECTIONS.get(refused.status, '15.6')}",
        "title": _TITLES.get(refused.code) or HTTPStatus(refused.status).phrase,
        "status": refused.status,
        "o:errorDetails": [error],
    }
    return Response(refused.status, jsonio.dumps(body).encode(), (("content-type", MEDIA_TYPE), *headers))


def of_status(status: int) -> Refused:
    """Some error of a status, for a fault that only names that."""
    known = {401: bad_login(), 404: no_such_record(), 429: busy()}
    return known.get(status) or Refused(status, "UNEXPECTED_ERROR", "unexpected", ident=f"twin-{status}")


def told(status: int, code: str, detail: str, pointer: str = "") -> Refused:
    """Any error at all, for the dial; `pointer` is such as `errorPath:item.items[0].item`."""
    name, _, place = pointer.partition(":")
    return Refused(status, code, "told", pointer=(name, place) if place else None, detail=detail)


def user_error(text: str, path: str = "", **values: Any) -> Refused:
    """400 USER_ERROR: the form, a rule of the business or a script says no."""
    return Refused(400, "USER_ERROR", text, pointer=("errorPath", path) if path else None, **values)


def bad_content(path: str = "", text: str = "content", **values: Any) -> Refused:
    """400 INVALID_CONTENT: a body that is none, or a value that cannot stand at `path`."""
    return Refused(400, "INVALID_CONTENT", text, pointer=("errorPath", path) if path else None, **values)


def bad_parameter(name: str, text: str = "parameter", **values: Any) -> Refused:
    return Refused(400, "INVALID_PARAMETER", text, pointer=("errorQueryParam", name), name=name, **values)


def bad_header(name: str, text: str = "header") -> Refused:
    return Refused(400, "INVALID_HEADER", text, pointer=("errorHeader", name), name=name)


def missing(*labels: str) -> Refused:
    return user_error("missing", labels=", ".join(labels))


def no_such_record() -> Refused:
    return Refused(404, "NONEXISTENT_ID", "no_record")


def no_permission(permission: str) -> Refused:
    return Refused(403, "INSUFFICIENT_PERMISSION", "permission", permission=permission)


def bad_login() -> Refused:
    return Refused(401, "INVALID_LOGIN", "login")


def busy() -> Refused:
    return Refused(429, "CONCURRENCY_LIMIT_EXCEEDED", "busy")


def wrong_method(method: str) -> Refused:
    return Refused(405, "INVALID_METHOD", "method", method=method)
