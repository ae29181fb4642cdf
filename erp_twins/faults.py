"""The fault dial: rules that make chosen calls go wrong, a set number of times or by chance."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from erp_twins.http import Response, html_answer, redirect

FaultName = Literal[
    "drop_before_commit",
    "drop_after_commit",
    "refuse_connection",
    "status",
    "refusal",
    "slow",
    "truncated_json",
    "truncated_body",
    "wrong_content_type",
    "redirect",
    "xml_throttle",
    "stale",
]

NAMES: tuple[str, ...] = get_args(FaultName)
_BEFORE = {"drop_before_commit", "refuse_connection", "redirect", "xml_throttle", "refusal"}


@dataclass(frozen=True)
class CallFacts:
    """What a rule can match on."""

    method: str
    path: str
    realm: str = ""
    entity: str = ""
    operation: str = ""


@dataclass(frozen=True)
class FaultRule:
    """One rule. Empty match fields match everything; `path` is a regular expression searched in the path.

    `times` None means for ever. `after_commit` matters to `status` and `slow`; `refusal` answers with the service's error `code`,
    in its own words unless `detail` gives others, about what `pointer` names. `probability` is drawn from `seed` and the
    number of matching calls, so a run can be repeated.
    """

    fault: FaultName
    method: str = ""
    path: str = ""
    realm: str = ""
    entity: str = ""
    operation: str = ""
    times: int | None = 1
    after_commit: bool = False
    status: int = 503
    code: str = ""
    detail: str = ""
    pointer: str = ""
    retry_after: int | None = None
    html: bool = False
    seconds: float = 0.0
    location: str = "https://twin.example/elsewhere"
    probability: float = 1.0
    seed: int = 0

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> FaultRule:
        """A rule from the control API; match fields stand under "match" or beside the rest. Raises ValueError."""
        flat = {**value.get("match", {}), **{key: item for key, item in value.items() if key != "match"}}
        unknown = flat.keys() - {one.name for one in fields(cls)}
        if unknown:
            raise ValueError(f"unknown rule fields: {', '.join(sorted(unknown))}")
        if flat.get("fault") not in NAMES:
            raise ValueError(f"fault must be one of {', '.join(NAMES)}")
        for name in ("seconds", "probability"):
            flat[name] = float(flat.get(name, getattr(cls, name)))
        return cls(**flat)

    def matches(self, call: CallFacts) -> bool:
        wanted = (
            (self.method.upper(), call.method),
            (self.realm, call.realm),
            (self.entity.lower(), call.entity.lower()),
            (self.operation.lower(), call.operation.lower()),
        )
        return all(not want or want == have for want, have in wanted) and bool(re.search(self.path, call.path))

    def drawn(self, number: int) -> bool:
        """Whether the n-th matching call is hit."""
        if self.probability >= 1:
            return True
        digest = hashlib.sha256(f"{self.seed}:{number}".encode()).digest()
        return int.from_bytes(digest[:4], "big") / 2**32 < self.probability

    @property
    def hits_before_commit(self) -> bool:
        return self.fault in _BEFORE or (self.fault == "status" and not self.after_commit)


class FaultDial:
    """Ordered rules; the first that matches and is drawn applies to a call. Guarded by its owner's lock."""

    def __init__(self) -> None:
        self._rules: dict[int, FaultRule] = {}
        self._hits: dict[int, int] = {}
        self._seen: dict[int, int] = {}
        self._last = 0

    def add(self, rule: FaultRule) -> int:
        """Arm a rule; gives its number."""
        self._last += 1
        self._rules[self._last] = rule
        self._hits[self._last] = self._seen[self._last] = 0
        return self._last

    def clear(self) -> None:
        self._rules.clear()

    def pick(self, call: CallFacts) -> FaultRule | None:
        """The rule for this call; picking it uses up one of its times."""
        return next((rule for number, rule in self._rules.items() if self._fires(number, rule, call)), None)

    def _fires(self, number: int, rule: FaultRule, call: CallFacts) -> bool:
        spent = rule.times is not None and self._hits[number] >= rule.times
        if spent or not rule.matches(call):
            return False
        self._seen[number] += 1
        if not rule.drawn(self._seen[number]):
            return False
        self._hits[number] += 1
        return True

    def listing(self) -> list[dict[str, Any]]:
        """Every rule with its number and how often it has hit."""
        return [{"id": number, "hits": self._hits[number], **_plain(rule)} for number, rule in self._rules.items()]


def _plain(rule: FaultRule) -> dict[str, Any]:
    return {key: str(value) if isinstance(value, float) else value for key, value in asdict(rule).items()}


def answer_instead(rule: FaultRule, throttled: Response, refused: Response) -> Response:
    """What a caller meets when the rule strikes before anything is committed; `refused` is the service's own body for its status."""
    if rule.fault == "drop_before_commit":
        return Response(0, ending="drop")
    if rule.fault == "refuse_connection":
        return Response(0, ending="refuse")
    if rule.fault == "redirect":
        return redirect(rule.location)
    return throttled if rule.fault == "xml_throttle" else _status(rule, refused)


def spoil(rule: FaultRule, answer: Response, refused: Response) -> Response:
    """What becomes of a committed answer."""
    if rule.fault == "status":
        return _status(rule, refused)
    if rule.fault == "wrong_content_type":
        return html_answer("<html><body><h1>Service notice</h1></body></html>")
    if rule.fault == "truncated_json":
        return Response(answer.status, answer.body[: len(answer.body) // 2], answer.headers)
    endings = {"drop_after_commit": "drop", "truncated_body": "cut"}
    return Response(answer.status, answer.body, answer.headers, endings.get(rule.fault, "whole"))  # type: ignore[arg-type]


def _status(rule: FaultRule, refused: Response) -> Response:
    """A gateway answers in HTML, the service in its own way."""
    answer = refused
    if rule.html or rule.status == 502:
        page = f"<html><head><title>{rule.status}</title></head><body>Gateway trouble</body></html>"
        answer = html_answer(page, rule.status)
    return answer if rule.retry_after is None else answer.with_headers(("retry-after", str(rule.retry_after)))
