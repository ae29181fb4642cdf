"""The one module that speaks HTTP to an ERP, and the only one that imports httpx: a successor is a change here.

`ErpHttp.exchange` sends one request and gives back whatever was answered. What was not answered, or not in
a way that can be believed, becomes `NotSent`, `Unavailable` (reads) or `AnswerLost` (writes); see `MEANING`.
Exceptions and logs made here name the kind of call, never bodies, tokens, headers or query values.
"""

from __future__ import annotations

import json
import logging
import socket
import ssl
import weakref
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx

from erp_pipelines.connectors.leaving import UNACKNOWLEDGED_SECONDS
from erp_pipelines.domain.errors import AnswerLost, SettingsInvalid, Transient, Unavailable

Transport = httpx.BaseTransport
MockTransport = httpx.MockTransport
HttpRequest = httpx.Request
HttpResponse = httpx.Response

UNSENT = "nothing was sent"
LOST = "it may have been sent"

# Every exception of httpx, and whether the provider can have acted on the request.
MEANING: dict[type[Exception], str] = {
    httpx.InvalidURL: UNSENT,
    httpx.UnsupportedProtocol: UNSENT,
    httpx.ConnectError: UNSENT,
    httpx.ConnectTimeout: UNSENT,
    httpx.PoolTimeout: UNSENT,
    httpx.ProxyError: UNSENT,
    httpx.WriteError: LOST,
    httpx.WriteTimeout: LOST,
    httpx.ReadError: LOST,
    httpx.ReadTimeout: LOST,
    httpx.CloseError: LOST,
    httpx.LocalProtocolError: LOST,
    httpx.RemoteProtocolError: LOST,
    httpx.DecodingError: LOST,
    httpx.TooManyRedirects: LOST,
    httpx.HTTPStatusError: LOST,
    httpx.CookieConflict: LOST,
    httpx.StreamConsumed: LOST,
    httpx.StreamClosed: LOST,
    httpx.ResponseNotRead: LOST,
    httpx.RequestNotRead: LOST,
    # The families, for members that a later httpx may add.
    httpx.TimeoutException: LOST,
    httpx.NetworkError: LOST,
    httpx.ProtocolError: LOST,
    httpx.TransportError: LOST,
    httpx.RequestError: LOST,
    httpx.HTTPError: LOST,
    httpx.StreamError: LOST,
    # What has been seen to slip through its net.
    ssl.SSLError: LOST,
    OSError: LOST,
}


class NotSent(Unavailable):
    """No connection came about, so a repeat is safe whatever the call was."""


@dataclass(frozen=True)
class Profile:
    """How one provider is spoken to. Requests go to `base_urls` only; seconds are time-outs.

    A write is waited for longer than the provider's own server works on it, so that a time-out is rare. A throttle that
    names no time is taken for `pause_seconds`; a short one is sat out `patience` times before the connection pauses.
    """

    provider: str
    base_urls: tuple[str, ...]
    request_id_header: str = ""
    throttle_marks: tuple[str, ...] = ()
    pause_seconds: float = 60
    patience: int = 1
    connect_seconds: float = 10
    read_seconds: float = 60
    write_seconds: float = 130
    max_answer_bytes: int = 32 * 2**20
    user_agent: str = "erp-pipelines"


@dataclass(frozen=True)
class Call:
    """One request. `kind` names it in counts and messages. `repeatable`: a repeat cannot do harm.

    `makes`: it makes something new, so its note is young when it leaves, see `leaving`. `seconds` is how long to wait
    for the answer, where that is not as long as the profile says. `batch`: it carries several records, and is rationed as such.
    """

    kind: str
    method: str
    url: str = field(repr=False)
    write: bool = False
    repeatable: bool = False
    makes: bool = False
    batch: bool = False
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    seconds: float | None = None
    expects_json: bool = True


@dataclass(frozen=True)
class Answer:
    """What was answered. `body` is the JSON value with decimals for fractions, None where it was no JSON.

    `headers` have lower-case names.
    """

    status: int
    body: Any = field(default=None, repr=False)
    text: str = field(default="", repr=False)
    request_id: str = ""
    retry_after: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class ErpHttp:
    """A pooled client of one provider, safe to share between threads.

    Redirects are never followed (a token would go along), and neither proxies nor credentials are taken from
    the environment: whoever needs a proxy hands in a `transport`. Connections close with this object.
    """

    def __init__(self, profile: Profile, *, transport: Transport | None = None) -> None:
        self.profile = profile
        self.origins = {_origin(url) for url in profile.base_urls}
        self.pool: ErpHttp | None = None
        self._client = httpx.Client(
            transport=transport or httpx.HTTPTransport(trust_env=False, socket_options=_given_up()),
            headers={"User-Agent": profile.user_agent, "Accept": "application/json"},
            follow_redirects=False,
            trust_env=False,
        )
        self.close = weakref.finalize(self, self._client.close)

    def only_to(self, *base_urls: str) -> ErpHttp:
        """The same pool of connections, for requests to these addresses instead of the profile's."""
        other = copy(self)
        other.origins = {_origin(url) for url in base_urls}
        other.pool = self  # whose end would close the connections
        return other

    def exchange(self, call: Call, *, authorization: str = "", leaves: Callable[[], None] | None = None) -> Answer:
        """Whatever the provider answered, refusals included; a 2xx answer is JSON unless the call expects none.

        `leaves` is called when the connection stands and nothing was sent yet; what it raises comes out of here. Raises NotSent, or AnswerLost (writes) or Unavailable (reads) when no answer came that can be believed.
        """
        headers = {**call.headers, **({"Authorization": authorization} if authorization else {})}
        url = self._address(call)
        try:
            with self._client.stream(
                call.method, url, headers=headers, content=call.body or None, timeout=self._timeout(call),
                extensions={"trace": _before_the_first_byte(leaves)} if leaves else {},
            ) as response:  # fmt: skip
                content = self._content(call, response)
        except tuple(MEANING) as error:
            # `from None`: the texts of httpx may quote headers and addresses.
            raise self._unanswered(call, error) from None
        return self._believed(call, _answer(response, content, self.profile.request_id_header))

    def lost(self, call: Call, why: str, *, request_id: str = "", erp_code: str = "") -> Transient:
        """The error of a call whose effect is unknown: AnswerLost for a write, Unavailable for a read."""
        kind = AnswerLost if call.write else Unavailable
        return kind(f"{self.profile.provider}, {call.kind}: {why}", request_id=request_id, erp_code=erp_code)

    def _address(self, call: Call) -> str:
        if _origin(call.url) not in self.origins:
            raise SettingsInvalid(f"{self.profile.provider}, {call.kind}: the address is none of the configured ones.")
        return address(call)

    def _timeout(self, call: Call) -> httpx.Timeout:
        profile = self.profile
        seconds = call.seconds or (profile.write_seconds if call.write else profile.read_seconds)
        return httpx.Timeout(seconds, connect=profile.connect_seconds, pool=profile.connect_seconds)

    def _content(self, call: Call, response: httpx.Response) -> bytes:
        content = bytearray()
        for piece in response.iter_bytes():
            content += piece
            if len(content) > self.profile.max_answer_bytes:
                raise self.lost(call, f"the answer is longer than {self.profile.max_answer_bytes} bytes.")
        return bytes(content)

    def _unanswered(self, call: Call, error: Exception) -> Transient:
        meaning = next(MEANING[kind] for kind in type(error).__mro__ if kind in MEANING)
        name = type(error).__name__
        if meaning == UNSENT:
            return NotSent(f"{self.profile.provider}, {call.kind}: no connection ({name}).")
        return self.lost(call, f"no answer ({name}).")

    def _believed(self, call: Call, answer: Answer) -> Answer:
        if 200 <= answer.status < 300 and call.expects_json and answer.body is None:
            raise self.lost(call, "the answer is no JSON.", request_id=answer.request_id)
        return answer


def address(call: Call) -> str:
    """The whole address that a call goes to."""
    return f"{call.url}?{urlencode(call.params, quote_via=quote)}" if call.params else call.url


def encode(value: Any) -> bytes:
    """JSON in UTF-8 with decimals written as the numbers they are."""
    return "".join(_encoded(value)).encode()


def _encoded(value: Any) -> Iterator[str]:
    match value:
        case Decimal():
            yield format(value, "f")
        case Mapping():
            pairs = (f"{json.dumps(str(key))}:{''.join(_encoded(item))}" for key, item in value.items())
            yield f"{{{','.join(pairs)}}}"
        case list() | tuple():
            yield f"[{','.join(''.join(_encoded(item)) for item in value)}]"
        case _:
            yield json.dumps(value, ensure_ascii=False, allow_nan=False)


def decode(text: str) -> Any:
    """The JSON value with decimals for fractions; None for anything that is no JSON."""
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None


def _no_number(text: str) -> None:
    raise ValueError(text)


def _answer(response: httpx.Response, content: bytes, request_id_header: str) -> Answer:
    headers = response.headers
    text = content.decode("utf-8", "replace")
    is_json = "json" in headers.get("content-type", "").lower()
    return Answer(
        status=response.status_code,
        body=decode(text) if is_json else None,
        text=text,
        request_id=headers.get(request_id_header, "")[:100] if request_id_header else "",
        retry_after=headers.get("retry-after", ""),
        headers={name.lower(): value for name, value in headers.items()},
    )


def _before_the_first_byte(leaves: Callable[[], None]) -> Callable[[str, Any], None]:
    """As httpx's extension `trace` has it: told of each step, here of the one after which bytes leave."""

    def trace(step: str, _: Any) -> None:
        if step.endswith(".send_request_headers.started"):
            leaves()

    return trace


def _given_up() -> list[tuple[int, int, int]]:
    """What is not acknowledged ends the connection, instead of being sent again for a quarter of an hour: Linux only."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    return [] if option is None else [(socket.IPPROTO_TCP, option, UNACKNOWLEDGED_SECONDS * 1000)]


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port


class _NoRequestLines(logging.Filter):
    """httpx writes every URL at level INFO, query values included: those lines go nowhere."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno > logging.INFO


logging.getLogger("httpx").addFilter(_NoRequestLines())
