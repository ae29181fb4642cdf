"""What the token endpoints of all providers have in common."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

from erp_pipelines.connectors.calling import throttled
from erp_pipelines.connectors.http import Answer, Call, ErpHttp
from erp_pipelines.domain.catalogue import Rule, Treatment
from erp_pipelines.domain.errors import ConnectionLost, ErpError, Misconfigured, Unavailable

# A renewal holds the connection's row while it waits, all its tries together no longer than the database allows.
TOKEN_SECONDS = 20.0
# How long a connection is left alone when the keys are refused and the grant is whole: it must cost no new consent.
WRONG_KEYS_SECONDS = 120.0


def asked(http: ErpHttp, call: Call, who: str, now: dt.datetime) -> Answer:
    """The answer to a call that belongs to no connection yet, refusals included; `who` is asked, as people know it.

    Raises Throttled, and Unavailable for anything but an answer below 500 that means something.
    """
    answer = http.exchange(call)
    pause = throttled(http, answer, now)
    if pause:
        raise pause
    if answer.status >= 500 or 300 <= answer.status < 400 or answer.status == 408:
        raise Unavailable(f"{who}, {call.kind}: HTTP {answer.status}.", request_id=answer.request_id)
    return answer


def heard(tries: int, ask: Callable[[], Answer]) -> Answer:
    """The answer to a call that can be repeated; raises Unavailable when nothing was heard at all of `tries`."""
    for _ in range(tries - 1):
        try:
            return ask()
        except Unavailable:
            continue
    return ask()


def reason(answer: Answer) -> str:
    """The endpoint's own word. Nothing else of the body: a strange one might quote what was sent."""
    word = str(answer.body.get("error", "")) if isinstance(answer.body, dict) else ""
    return word if word.replace("_", "").isalpha() and len(word) <= 40 else f"HTTP {answer.status}"


def not_renewed(rules: Mapping[str, Rule], who: str, answer: Answer, otherwise: str) -> ErpError:
    """Why a renewal was refused: the keys are, or the grant is. `otherwise` is the mend for a word without a rule."""
    word = reason(answer)
    rule = rules.get(word)
    said, mend = f"{who} refused to renew the access ({word}).", rule.mend if rule else otherwise
    error: ErpError
    if rule and rule.treatment is Treatment.MISCONFIGURED:
        error = Misconfigured(
            said, retry_after=WRONG_KEYS_SECONDS, mend=mend, erp_code=word, request_id=answer.request_id
        )
    else:
        error = ConnectionLost(said, mend=mend, erp_code=word, request_id=answer.request_id)
    error.rule = rule
    return error
