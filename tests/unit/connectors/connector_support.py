"""What the tests of the connectors share: a scripted provider, and things lent that remember what was asked of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from erp_pipelines.connectors.base import CallCounter, Lent
from erp_pipelines.connectors.calling import Caller
from erp_pipelines.connectors.http import ErpHttp, HttpRequest, HttpResponse, MockTransport, Profile
from erp_pipelines.connectors.quickbooks.company import Books
from erp_pipelines.connectors.quickbooks.config import QuickBooksConfig
from erp_pipelines.connectors.quickbooks.faults import THROTTLE_MARKS, refusal
from tests.support.clock import FakeClock

BASE = "https://erp.example.test"
CONFIG = QuickBooksConfig("client", "client-secret", verifier_token="verifier")
PROFILE = Profile("QuickBooks", (BASE,), request_id_header="intuit_tid", throttle_marks=THROTTLE_MARKS)

Step = HttpResponse | Exception | Callable[[HttpRequest], HttpResponse]


class Tokens:
    """Gives token-1, then a newer one for every refusal."""

    def __init__(self) -> None:
        self.rejected: list[str] = []

    def access_token(self, *, rejected: str | None = None) -> str:
        if rejected:
            self.rejected.append(rejected)
        return f"token-{len(self.rejected) + 1}"


@dataclass
class Pace:
    waits: int = 0
    heard: list[str] = field(default_factory=list)

    @contextmanager
    def turn(self):
        self.waits += 1
        yield

    def throttled(self) -> None:
        self.heard.append("throttled")

    def answered(self) -> None:
        self.heard.append("answered")

    def failed(self) -> None:
        self.heard.append("failed")


class Scripted:
    """A provider that answers by a script; the last step repeats."""

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.requests: list[HttpRequest] = []

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.read()
        self.requests.append(request)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, Exception):
            raise step
        return step(request) if callable(step) and not isinstance(step, HttpResponse) else step


@dataclass
class Line:
    """A caller on a scripted provider, with everything it was lent."""

    provider: Scripted
    clock: FakeClock = field(default_factory=FakeClock)
    tokens: Tokens = field(default_factory=Tokens)
    pace: Pace = field(default_factory=Pace)
    counts: CallCounter = field(default_factory=CallCounter)

    @property
    def lent(self) -> Lent:
        return Lent(self.tokens, self.pace, self.clock, self.counts, lambda: 0.5)

    @property
    def http(self) -> ErpHttp:
        return ErpHttp(PROFILE, transport=MockTransport(self.provider))

    @property
    def caller(self) -> Caller:
        return Caller(self.http, self.lent, refusal=refusal)


def line(*steps: Step) -> Line:
    return Line(Scripted(*steps))


def ok(body: Any = None) -> HttpResponse:
    return answer(200, {"ok": True} if body is None else body)


def answer(status: int, body: Any = None, **headers: str) -> HttpResponse:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    text = body if isinstance(body, str) else json.dumps(body)
    kind = "text/html" if isinstance(body, str) else "application/json"
    return HttpResponse(status, headers={"content-type": kind, "intuit_tid": "1-abc", **names}, content=text.encode())


def fault(code: str, detail: str = "", status: int = 400, message: str = "No") -> HttpResponse:
    return answer(status, {"Fault": {"Error": [{"Message": message, "Detail": detail, "code": code}], "type": "x"}})


def books(**changes: Any) -> Books:
    return Books(**{"config": CONFIG, "income_account_id": "5", **changes})
