"""Day one: which of an ERP's customers and products is which of ours."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from erp_pipelines.connectors.base import Ref
from erp_pipelines.delivery import matching
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.storage import questions
from erp_pipelines.storage.questions import Question
from webhook_api import paging
from webhook_api.dependencies import Admin, Cursor, House, Manager, PageSize
from webhook_api.schemas import Body, Moment, Page

router = APIRouter(prefix="/api/integrations/matching", tags=["matching"])
Decided = Annotated[bool, Query(description="Those that a person has decided about, instead of the open ones.")]


class CandidateOut(Body):
    """One of the ERP's records, why it may be ours, and how alike the names are, from 0 to 1."""

    id: str
    name: str
    reason: Literal["name", "email", "sku", "similar"]
    likeness: float


class QuestionOut(Body):
    """One of our records that is not brought to the ERP before somebody has decided."""

    entity_type: str
    entity_id: str
    name: str
    candidates: list[CandidateOut]
    asked_at: Moment
    decided_at: Moment | None
    decided_by: str | None
    external_id: str | None

    @classmethod
    def of(cls, asked: Question) -> QuestionOut:
        return cls(
            entity_type=asked.entity_type, entity_id=asked.entity_id, name=asked.name,
            candidates=[CandidateOut(**one) for one in asked.candidates], asked_at=asked.asked_at,
            decided_at=asked.decided_at, decided_by=asked.decided_by, external_id=asked.external_id,
        )  # fmt: skip


class DecisionIn(Body):
    """`externalId` null: it is none of them, and is made anew there."""

    entity_type: Literal["Customer", "Product"]
    entity_id: str
    external_id: str | None


class MatchedOut(Body):
    """How many records of one kind were bound without a write, asked about, or are like none that stands there."""

    bound: int
    asked: int
    new: int


class RunOut(Body):
    customers: MatchedOut
    products: MatchedOut


@router.post("/{provider}/run")
def run(runtime: House, user: Admin, provider: str) -> RunOut:
    """Read the ERP's lists and match what is not bound yet; 409 while a worker serves the connection."""
    customers, products = matching.run(runtime, ConnectionKey(user.tenant_id, provider)).values()
    return RunOut(
        customers=MatchedOut(bound=customers.bound, asked=customers.asked, new=customers.new),
        products=MatchedOut(bound=products.bound, asked=products.asked, new=products.new),
    )


@router.get("/{provider}")
def get_questions(
    runtime: House,
    user: Manager,
    provider: str,
    decided: Decided = False,
    page_size: PageSize = 50,
    cursor: Cursor = None,
) -> Page[QuestionOut]:
    """By record."""
    place, key = paging.decode(cursor, 2), ConnectionKey(user.tenant_id, provider)
    after = (place[0], place[1]) if place else None
    with runtime.db.tenant(user.tenant_id) as conn:
        rows = questions.page(conn, key, decided=decided, after=after, limit=page_size + 1)
    page, following = paging.cut(rows, page_size, lambda row: (row.entity_type, row.entity_id))
    return Page(items=[QuestionOut.of(row) for row in page], next_cursor=following)


@router.post("/{provider}")
def decide(runtime: House, user: Admin, provider: str, decision: DecisionIn) -> QuestionOut:
    """Answer one question; 409 for one that is answered already."""
    key, ref = ConnectionKey(user.tenant_id, provider), Ref(decision.entity_type, decision.entity_id)
    return QuestionOut.of(matching.decide(runtime, key, ref, decision.external_id, user.user_id))
