"""What every provider's connector must do: a class of tests, run by one subclass per provider against its twin.

A subclass gives the fixture `world`: a connection to a fresh company, with the fault dial in its hand.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Protocol

import pytest

from erp_pipelines.connectors.base import (
    CallCounter,
    Candidate,
    ErpSession,
    ExternalRef,
    Known,
    Lent,
    Pushed,
    Ref,
    Write,
)
from erp_pipelines.domain import errors
from erp_pipelines.domain.events import CanonicalRecord
from erp_pipelines.domain.idempotency import fingerprint, request_key
from erp_pipelines.domain.outcomes import Outcome
from tests.support.clock import FakeClock
from tests.support.factories import make_customer, make_order, make_product

CUSTOMER, PRODUCT, ORDER = Ref("Customer", "c1"), Ref("Product", "p1"), Ref("Order", "o1")


class Tokens:
    """The tokens of a connection, the first of which may be dead."""

    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens)
        self.refused: list[str] = []

    def access_token(self, *, rejected: str | None = None) -> str:
        if rejected is not None and len(self.tokens) > 1:
            self.refused.append(rejected)
            self.tokens.pop(0)
        return self.tokens[0]


class NoPace:
    def turn(self) -> AbstractContextManager[None]:
        return nullcontext()

    def throttled(self) -> None: ...

    def answered(self) -> None: ...

    def failed(self) -> None: ...


@dataclass
class Desk:
    """What a session is lent, kept for the test to look at."""

    tokens: Tokens
    clock: FakeClock = field(default_factory=FakeClock)
    calls: CallCounter = field(default_factory=CallCounter)

    @property
    def lent(self) -> Lent:
        return Lent(self.tokens, NoPace(), self.clock, self.calls)


class World(Protocol):
    """A provider's twin as these tests need it."""

    desk: Desk
    secrets: tuple[str, ...]

    def session(self) -> ErpSession: ...

    def count(self, entity_type: str) -> int:
        """How many documents of our entity type stand in the ERP, whoever made them."""
        ...

    def lose_answers(self, times: int) -> None:
        """The next writes are done, and their answers lost."""
        ...

    def drop_requests(self, times: int) -> None:
        """The next writes are not done, and nothing is answered."""
        ...

    def throttle(self) -> None:
        """The next call is refused for going too fast."""
        ...

    def refuse_token(self) -> str:
        """The present token dies; gives a good one."""
        ...

    def close_books(self) -> None:
        """From now on the ERP refuses documents of today for good."""
        ...

    def customer_by_hand(self, name: str) -> str:
        """Somebody enters a customer in the ERP; gives its id."""
        ...

    def edit_order_by_hand(self, external_id: str) -> None: ...

    def delete_order_by_hand(self, external_id: str) -> None: ...

    def deactivate_customer_by_hand(self, external_id: str) -> None: ...

    def pass_time(self, seconds: float) -> None:
        """On both sides."""
        ...


def write(
    ref: Ref, record: CanonicalRecord, refs: Mapping[Ref, str] | None = None, known: Known | None = None
) -> Write:
    """As the engine makes it: the same record always has the same keys."""
    content = fingerprint(record.payload())

    def key(purpose: str) -> str:
        return request_key("conn-1", ref.entity_type, ref.entity_id, purpose, content, 0)

    return Write(ref, record, refs or {}, known, key)


@dataclass
class Puller:
    """Pulls as the engine does: each stream page by page, from where it ended."""

    world: World
    cursors: dict[str, str] = field(default_factory=dict)

    def pull(self) -> set[tuple[ExternalRef, bool]]:
        """What was found, and whether it was deleted."""
        session, found = self.world.session(), set[tuple[ExternalRef, bool]]()
        since = self.world.desk.clock.now() - dt.timedelta(hours=1)
        for stream in session.streams():
            more = True
            while more:
                page = session.changes(stream, self.cursors.get(stream), since)
                self.cursors[stream], more = page.cursor, page.more
                assert len(page.cursor) <= 500
                assert all(one.at.utcoffset() is not None for one in page.changed)
                found |= {(one.ref, one.deleted) for one in page.changed}
        return found


def known(pushed: Pushed) -> Known:
    return Known(pushed.external_id, pushed.sync_token, pushed.external_type, pushed.snapshot)


class ConnectorContract:
    """Subclass it, give it `world`, and name the class Test..."""

    # --- in working order ---

    def push_parts(self, world: World) -> dict[Ref, str]:
        session = world.session()
        customer = session.push(write(CUSTOMER, make_customer()))
        product = session.push(write(PRODUCT, make_product()))
        return {CUSTOMER: customer.external_id, PRODUCT: product.external_id}

    def order_write(self, world: World) -> Write:
        return write(ORDER, make_order().completed(), self.push_parts(world))

    def test_creates_each_record_once(self, world: World) -> None:
        done = world.session().push(self.order_write(world))
        assert done.outcome is Outcome.CREATED
        assert done.external_id
        assert done.request_id
        assert done.updated_at is not None
        assert done.updated_at.utcoffset() is not None
        assert [world.count(one) for one in ("Customer", "Product", "Order")] == [1, 1, 1]

    def test_document_has_the_orders_total(self, world: World) -> None:
        order = self.order_write(world)
        done = world.session().push(order)
        if done.total is None:
            (state,) = world.session().truth([ExternalRef(done.external_type, done.external_id)]).documents
            assert state.total == order.record.amount_due
        else:
            assert done.total == order.record.amount_due

    def test_requirements_come_first_and_each_once(self, world: World) -> None:
        assert world.session().requirements(make_order().completed()) == (CUSTOMER, PRODUCT)

    def test_missing_requirement_is_named(self, world: World) -> None:
        with pytest.raises(errors.RequirementMissing):
            world.session().push(write(ORDER, make_order().completed()))
        assert world.count("Order") == 0

    def test_same_record_has_the_same_body(self, world: World) -> None:
        order = self.order_write(world)
        session = world.session()
        assert fingerprint(session.body(order.record, order.refs)) == fingerprint(
            session.body(order.record, order.refs)
        )

    def test_repeat_with_the_same_key_makes_nothing_new(self, world: World) -> None:
        order = self.order_write(world)
        first, again = world.session().push(order), world.session().push(order)
        assert again.external_id == first.external_id
        assert world.count("Order") == 1

    def test_known_record_is_updated(self, world: World) -> None:
        order = self.order_write(world)
        first = world.session().push(order)
        changed = make_order(memo="Leave at the gate").completed()
        done = world.session().push(write(ORDER, changed, order.refs, known(first)))
        assert (done.outcome, done.external_id) == (Outcome.UPDATED, first.external_id)
        assert world.count("Order") == 1

    def test_update_survives_an_edit_by_hand(self, world: World) -> None:
        order = self.order_write(world)
        first = world.session().push(order)
        world.edit_order_by_hand(first.external_id)
        changed = make_order(memo="Leave at the gate").completed()
        assert world.session().push(write(ORDER, changed, order.refs, known(first))).external_id == first.external_id

    # --- what stands already ---

    def test_adopts_what_stands_under_the_name(self, world: World) -> None:
        by_hand = world.customer_by_hand("Customer c1")
        done = world.session().push(write(CUSTOMER, make_customer()))
        assert (done.outcome, done.external_id) == (Outcome.ADOPTED, by_hand)
        assert world.count("Customer") == 1

    # --- trouble ---

    def test_lost_answer_is_repeated_within_the_run(self, world: World) -> None:
        order = self.order_write(world)
        world.lose_answers(1)
        world.session().push(order)
        assert world.count("Order") == 1

    def test_lost_answer_is_settled_by_looking(self, world: World) -> None:
        order = self.order_write(world)
        world.lose_answers(3)
        with pytest.raises(errors.AnswerLost):
            world.session().push(order)
        writes = world.desk.calls.writes
        done = world.session().push(replace(order, in_doubt=True))
        assert done.outcome is Outcome.ADOPTED
        assert world.count("Order") == 1
        assert world.desk.calls.writes == writes

    def test_request_that_never_arrived_is_sent_after_looking(self, world: World) -> None:
        order = self.order_write(world)
        world.drop_requests(3)
        with pytest.raises(errors.AnswerLost):
            world.session().push(order)
        assert world.count("Order") == 0
        done = world.session().push(replace(order, in_doubt=True))
        assert done.outcome is Outcome.CREATED
        assert world.count("Order") == 1

    def test_throttle_pauses(self, world: World) -> None:
        order = self.order_write(world)
        world.throttle()
        with pytest.raises(errors.Throttled) as pause:
            world.session().push(order)
        assert pause.value.retry_after > 0
        assert world.count("Order") == 0

    def test_rule_of_the_erp_is_a_refusal_with_a_mend(self, world: World) -> None:
        order = self.order_write(world)
        world.close_books()
        with pytest.raises(errors.Rejected) as refused:
            world.session().push(order)
        assert refused.value.mend
        assert refused.value.erp_code
        assert refused.value.cause not in {"", "unknown"}

    def test_refused_token_is_renewed_once(self, world: World) -> None:
        good = world.refuse_token()
        dead = world.desk.tokens.tokens[0]
        world.desk.tokens.tokens.append(good)
        world.session().push(write(CUSTOMER, make_customer()))
        assert world.desk.tokens.refused == [dead]

    def test_second_refusal_means_that_a_person_is_needed(self, world: World) -> None:
        world.desk.tokens.tokens = ["dead-1", "dead-2"]
        with pytest.raises(errors.ConnectionLost) as lost:
            world.session().push(write(CUSTOMER, make_customer()))
        assert lost.value.mend

    def test_no_secret_is_logged_or_told(self, world: World, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.DEBUG):
            self.test_throttle_pauses(world)
            world.lose_answers(3)
            with pytest.raises(errors.AnswerLost) as lost:
                world.session().push(write(Ref("Customer", "c2"), make_customer("c2", name="Private Person")))
        told = caplog.text + str(lost.value) + repr(lost.value)
        assert not [secret for secret in (*world.secrets, "Private") if secret in told]

    # --- the truth ---

    def test_truth_of_a_document_that_stands_and_one_that_is_gone(self, world: World) -> None:
        order = self.order_write(world)
        done = world.session().push(order)
        asked = ExternalRef(done.external_type, done.external_id)
        (state,) = world.session().truth([asked, ExternalRef("NoSuchType", "1")]).documents
        assert (state.ref, state.gone, state.total, state.balance) == (asked, False, state.total, state.total)
        world.delete_order_by_hand(done.external_id)
        (state,) = world.session().truth([asked]).documents
        assert (state.ref, state.gone) == (asked, True)

    def test_truth_of_nothing_costs_nothing(self, world: World) -> None:
        truth = world.session().truth([])
        assert (truth.documents, truth.payments, world.desk.calls.reads) == ((), (), 0)

    # --- before a sync ---

    def candidates(self, world: World) -> list[Candidate]:
        """An order whose customer and product stand there, and a customer that is new."""
        order = self.order_write(world)
        new = make_customer("c2", name="Second Customer")
        return [Candidate(ORDER, order.record, order.refs, None), Candidate(Ref("Customer", "c2"), new, {}, None)]

    def test_nothing_stands_in_the_way_and_nothing_is_sent(self, world: World) -> None:
        candidates = self.candidates(world)
        writes = world.desk.calls.writes
        assert world.session().preflight(candidates) == ()
        assert world.desk.calls.writes == writes

    def test_what_is_inactive_or_taken_by_something_inactive_is_found_before_anything_is_sent(
        self, world: World
    ) -> None:
        candidates = self.candidates(world)
        world.deactivate_customer_by_hand(candidates[0].refs[CUSTOMER])
        world.deactivate_customer_by_hand(world.customer_by_hand("Second Customer"))
        found = world.session().preflight(candidates)
        assert ORDER in {one.ref for one in found}
        assert all(one.error.mend for one in found)
        assert world.count("Order") == 0

    # --- what changed ---

    def test_changes_made_by_hand_are_found_once_time_has_passed_over_them(self, world: World) -> None:
        done = world.session().push(self.order_write(world))
        ref, puller = ExternalRef(done.external_type, done.external_id), Puller(world)
        world.pass_time(600)
        assert (ref, False) in puller.pull()
        world.pass_time(600)
        assert puller.pull() == set()
        world.edit_order_by_hand(done.external_id)
        world.pass_time(600)
        assert puller.pull() == {(ref, False)}
        world.pass_time(600)
        assert puller.pull() == set()

    def test_a_deletion_is_found(self, world: World) -> None:
        done = world.session().push(self.order_write(world))
        ref, puller = ExternalRef(done.external_type, done.external_id), Puller(world)
        world.pass_time(600)
        puller.pull()
        world.delete_order_by_hand(done.external_id)
        world.pass_time(600)
        assert (ref, True) in puller.pull()

    # --- the company ---

    def test_company_answers_with_its_name_at_the_cost_of_one_read(self, world: World) -> None:
        assert world.session().company_name()
        assert (world.desk.calls.reads, world.desk.calls.writes) == (1, 0)

    def test_company_that_refuses_the_token_for_good_needs_a_person(self, world: World) -> None:
        world.desk.tokens.tokens = ["dead-1", "dead-2"]
        with pytest.raises(errors.ConnectionLost) as lost:
            world.session().company_name()
        assert lost.value.mend
