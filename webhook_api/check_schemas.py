"""The JSON of a preflight: what a bulk sync would do, and what of it would fail."""

from __future__ import annotations

from erp_pipelines.delivery.preflight import Preflight, Problem
from webhook_api.schemas import Body


class ProblemOut(Body):
    """Records that would fail for one reason, and some of them. `entityType` is empty where it is the whole connection's."""

    cause: str
    owner: str
    message: str
    mend: str
    erp_code: str
    entity_type: str
    count: int
    entity_ids: list[str]

    @classmethod
    def of(cls, problem: Problem) -> ProblemOut:
        why = problem.why
        return cls(
            cause=why.cause, owner=str(why.owner), message=why.message, mend=why.mend, erp_code=why.erp_code,
            entity_type=problem.entity_type, count=problem.count, entity_ids=list(problem.entity_ids),
        )  # fmt: skip


class CheckOut(Body):
    """`total` is what the sync would queue; `toSend` counts what that requires too, `failing` those of them that would fail."""

    total: int
    to_send: int
    unchanged: int
    skipped: int
    failing: int
    problems: list[ProblemOut]

    @classmethod
    def of(cls, found: Preflight) -> CheckOut:
        return cls(
            total=found.total, to_send=found.to_send, unchanged=found.unchanged, skipped=found.skipped,
            failing=found.failing, problems=[ProblemOut.of(problem) for problem in found.problems],
        )  # fmt: skip
