"""From a rule of a provider's catalogue to the error that the engine knows."""

from __future__ import annotations

from erp_pipelines.connectors.http import Answer, Call
from erp_pipelines.domain.catalogue import UNKNOWN, Owner, Rule, Treatment
from erp_pipelines.domain.errors import (
    AnswerLost,
    ConnectionLost,
    ErpError,
    NameTaken,
    Rejected,
    StaleVersion,
    Throttled,
    TokenRejected,
    Unavailable,
)

LONGEST_TEXT = 500


def refused(
    rule: Rule, text: str, call: Call, answer: Answer, *, candidate: str = "", pause: float = 60, certain: bool = True
) -> ErpError:
    """The error of a refusal; `text` is the provider's own words with its name before them.

    A 5xx answer never proves that nothing was done. `certain`: the refusal does, where the rule is a known one.
    """
    if answer.status >= 500 and rule.treatment is not Treatment.THROTTLED:
        rule = rule.model_copy(update={"treatment": Treatment.LOST, "owner": Owner.PROVIDER})
    error = _error(rule, text[: LONGEST_TEXT + 50], call, answer, candidate, pause, certain and rule.cause != UNKNOWN)
    error.rule = rule
    return error


def _error(
    rule: Rule, text: str, call: Call, answer: Answer, candidate: str, pause: float, definitive: bool
) -> ErpError:
    code, request_id, mend = rule.code, answer.request_id, rule.mend
    match rule.treatment:
        case Treatment.THROTTLED:
            return Throttled(text, retry_after=pause, erp_code=code, request_id=request_id)
        case Treatment.TOKEN:
            return TokenRejected(text, mend=mend, erp_code=code, request_id=request_id)
        case Treatment.RECONNECT:
            return ConnectionLost(text, mend=mend, erp_code=code, request_id=request_id)
        case Treatment.LATER:
            return Unavailable(text, mend=mend, erp_code=code, request_id=request_id)
        case Treatment.LOST:
            lost = AnswerLost if call.write else Unavailable
            return lost(text, mend=mend, erp_code=code, request_id=request_id)
        case Treatment.STALE:
            return StaleVersion(text, mend=mend, erp_code=code, request_id=request_id)
        case Treatment.TAKEN:
            return NameTaken(text, mend=mend, candidate=candidate, erp_code=code, request_id=request_id)
        case _:
            return Rejected(
                text, cause=rule.cause, mend=mend, erp_code=code, request_id=request_id, definitive=definitive
            )
