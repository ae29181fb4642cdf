"""Requests and answers without a transport: what a twin takes and gives."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from erp_twins import jsonio

Ending = Literal["whole", "drop", "cut", "timeout", "refuse"]
"""How the connection ends: with the whole answer, with none, in its middle, never in time, or before it begins."""

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Request:
    """One HTTP request; header names are lower-case, the path is percent-decoded, `raw_path` is as it was sent."""

    method: str
    path: str
    query: Pairs = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    base_url: str = "http://twin.example"
    raw_path: str = ""

    @classmethod
    def make(
        cls,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Request:
        """A request from a URL, relative or absolute."""
        parts = urlsplit(url)
        base = f"{parts.scheme}://{parts.netloc}" if parts.netloc else "http://twin.example"
        lower = {name.lower(): value for name, value in (headers or {}).items()}
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        return cls(method.upper(), unquote(parts.path), query, lower, body, base, parts.path)

    def param(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        return next((value for key, value in self.query if key == name), default)

    def form(self) -> dict[str, str]:
        """The body read as a form; the last value of a repeated field wins."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def header(self, name: str) -> str:
        return self.headers.get(name, "")

    def document(self) -> jsonio.Doc:
        """The body as a JSON object, `{}` when empty. Raises ValueError."""
        value = jsonio.loads(self.body) if self.body.strip() else {}
        if not isinstance(value, dict):
            raise ValueError("the body is no JSON object")  # noqa: TRY004 - bad data, not a wrong type in the code
        return value


@dataclass(frozen=True)
class Response:
    """One answer. `ending` other than "whole" asks the transport to break the connection for real."""

    status: int
    body: bytes = b""
    headers: Pairs = ()
    ending: Ending = "whole"

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def json(self) -> Any:
        return jsonio.loads(self.body)

    def with_headers(self, *pairs: tuple[str, str]) -> Response:
        """The same answer with these headers set (replacing their namesakes)."""
        names = {name.lower() for name, _ in pairs}
        kept = tuple(pair for pair in self.headers if pair[0].lower() not in names)
        return Response(self.status, self.body, (*kept, *pairs), self.ending)


def json_answer(value: Any, status: int = 200) -> Response:
    return Response(status, jsonio.dumps(value).encode(), (("content-type", "application/json;charset=UTF-8"),))


def html_answer(page: str, status: int = 200) -> Response:
    return Response(status, page.encode(), (("content-type", "text/html;charset=UTF-8"),))


def text_answer(text: str, status: int = 200) -> Response:
    return Response(status, text.encode(), (("content-type", "text/plain;charset=UTF-8"),))


def redirect(location: str, status: int = 302) -> Response:
    body = f'<a href="{html.escape(location)}">moved</a>'
    return html_answer(body, status).with_headers(("location", location))
