"""The transitions of a delivery, one by one: what each stores, and that nobody moves what somebody else owns."""

from __future__ import annotations

import datetime as dt

import pytest

from erp_pipelines.domain.outcomes import Explained, Outcome
from erp_pipelines.storage import deliveries, outbox
from erp_pipelines.storage.deliveries import Orphan
from tests.support.toy import KEY

CORRELATION = "0c5f7a52-2a1c-4f0e-9a77-000000000001"
ROW = (
    "status, claimed_by, claimed_until, outcome, processed_at, scheduled_for, retry_count, in_doubt, last_error, cause,"
    " mend, owner, retriable, erp_code, requirement, key_generation"
)
LONG = Explained("No. " * 600, "business-rule", "", erp_code="6000")
SHORT = Explained("No.", "erp-unavailable", "Mend it.")
TOLD = (("No. " * 600)[:2000], "business-rule", None, str(LONG.owner), False, "6000")
TOLD_SHORT = ("No.", "erp-unavailable", "Mend it.", str(SHORT.owner), True, None)
UNTOLD = (None,) * 6


@pytest.fixture
def claim(database, connection_id, clock):
    """Claims what is due, as this owner."""

    def take(owner="me", **given):
        with database.tenant(KEY.tenant_id) as conn:
            until = clock.now() + dt.timedelta(minutes=5)
            return deliveries.claim(conn, connection_id, owner, now=clock.now(), until=until, **{"limit": 10, **given})

    return take


@pytest.fixture
def move(database):
    def call(transition, *args, **given):
        with database.tenant(KEY.tenant_id) as conn:
            return transition(conn, *args, **given)

    return call


def test_a_claim_has_all_of_its_event(database, connection_id, shop, claim):
    with database.tenant(KEY.tenant_id) as conn:
        event = outbox.emit(conn, KEY.tenant_id, "Changed", "Customer", "c1", {"id": "c1"}, correlation_id=CORRELATION)
    shop.product()
    first, second = claim()
    assert shop.deliveries("id::text, seq") == [(first.id, first.seq), (second.id, second.seq)]
    assert (first.outbox_id, first.event_type, first.payload) == (event, "Changed", {"id": "c1"})
    assert (first.correlation_id, second.correlation_id) == (CORRELATION, None)
    assert (first.attempts, first.retry_count, first.in_doubt, first.superseded) == (1, 0, False, False)


def test_a_worker_claims_no_more_than_it_asks_for_and_only_of_the_kinds_it_names(shop, claim):
    shop.customer("c1")
    shop.product()
    shop.customer("c2")
    shop.customer("c3")
    assert [one.entity_id for one in claim(entity_types=["Customer"], limit=2)] == ["c1", "c2"]
    assert claim(entity_types=[]) == []
    assert [one.entity_id for one in claim()] == ["p1", "c3"]


@pytest.mark.parametrize(("why", "told"), [(LONG, TOLD), (SHORT, TOLD_SHORT)])
@pytest.mark.parametrize("in_doubt", [True, False])
def test_a_failed_try_comes_again_and_spends_a_retry(shop, claim, move, clock, why, told, in_doubt):
    shop.customer()
    [one] = claim()
    at = clock.now() + dt.timedelta(minutes=7)
    assert move(deliveries.fail, one.id, "me", at=at, why=why, in_doubt=in_doubt) is True
    assert shop.deliveries(ROW) == [("Failed", None, None, None, None, at, 1, in_doubt, *told, None, 0)]


@pytest.mark.parametrize(("why", "told"), [(LONG, TOLD), (None, UNTOLD)])
@pytest.mark.parametrize("in_doubt", [True, False])
def test_what_is_given_back_is_due_as_before_and_spends_no_retry(shop, claim, move, why, told, in_doubt):
    shop.customer()
    [(due,)] = shop.deliveries("scheduled_for")
    [one] = claim()
    assert move(deliveries.give_back, one.id, "me", why=why, in_doubt=in_doubt) is True
    assert shop.deliveries(ROW) == [("Pending", None, None, None, None, due, 0, in_doubt, *told, None, 0)]


@pytest.mark.parametrize(
    ("requirement", "refused", "in_doubt"), [("mapping:Customer:c1", False, True), (None, True, False)]
)
def test_what_is_abandoned_waits_under_a_new_key_if_it_was_refused(
    shop, claim, move, clock, requirement, refused, in_doubt
):
    shop.customer()
    [(due,)] = shop.deliveries("scheduled_for")
    [one] = claim()
    assert move(deliveries.abandon, one.id, "me", why=SHORT, requirement=requirement, refused=refused,
                in_doubt=in_doubt, now=clock.now()) is True  # fmt: skip
    ended = ("Abandoned", None, None, None, clock.now(), due, 0, in_doubt, *TOLD_SHORT, requirement, int(refused))
    assert shop.deliveries(ROW) == [ended]


def test_a_completion_takes_away_what_an_earlier_try_was_told(shop, claim, move, clock):
    shop.customer()
    [one] = claim()
    at = clock.now()
    move(deliveries.fail, one.id, "me", at=at, why=SHORT, in_doubt=True)
    claim("another")
    assert move(deliveries.complete, {one.id: Outcome.CREATED}, "another", now=clock.now()) == {one.id}
    assert shop.deliveries(ROW) == [("Completed", None, None, "Created", clock.now(), at, 1, False, *UNTOLD, None, 0)]


@pytest.mark.parametrize(
    ("outcome", "left"),
    [
        (Outcome.CREATED, False),
        (Outcome.UPDATED, False),
        (Outcome.ADOPTED, False),
        (Outcome.UNCHANGED, False),
        (Outcome.SUPERSEDED, True),
        (Outcome.NOT_WANTED, True),
    ],
)
def test_earlier_doubts_end_where_the_records_place_is_known_and_only_there(shop, claim, move, clock, outcome, left):
    shop.customer(name="One")
    [first] = claim()
    move(deliveries.abandon, first.id, "me", why=SHORT, requirement=None, refused=False, in_doubt=True, now=clock.now())
    shop.customer(name="Two")
    [second] = claim()
    assert move(deliveries.complete, {second.id: outcome}, "me", now=clock.now()) == {second.id}
    assert shop.deliveries("status, in_doubt") == [("Abandoned", left), ("Completed", False)]


def test_nobody_moves_what_somebody_else_owns(shop, claim, move, clock):
    shop.customer()
    [one] = claim()
    before, now = shop.deliveries(ROW), clock.now()
    assert move(deliveries.complete, {one.id: Outcome.CREATED}, "other", now=now) == set()
    assert move(deliveries.fail, one.id, "other", at=now, why=SHORT, in_doubt=True) is False
    assert move(deliveries.give_back, one.id, "other", why=None, in_doubt=True) is False
    assert move(deliveries.give_back, one.id, "other", why=SHORT, in_doubt=True) is False
    assert move(deliveries.abandon, one.id, "other", why=SHORT, requirement=None, refused=True, in_doubt=True,
                now=now) is False  # fmt: skip
    assert shop.deliveries(ROW) == before


def test_what_a_dead_worker_had_is_due_again_and_told_as_it_was(database, connection_id, shop, claim, move):
    shop.customer("c1")
    shop.customer("c2")
    [one] = claim(limit=1)
    assert move(deliveries.take_over, connection_id) == [Orphan(one.id, "Customer", "c1", 1, 0, in_doubt=False)]
    assert shop.deliveries("status, claimed_by, claimed_until") == [("Pending", None, None)] * 2
    assert move(deliveries.take_over, connection_id) == []


def test_a_state_is_open_until_it_was_brought_over(connection_id, shop, claim, move, clock):
    assert move(deliveries.has_open, connection_id, "Customer", "c1") is False
    shop.customer()
    [one] = claim()
    assert move(deliveries.has_open, connection_id, "Customer", "c1") is True
    assert move(deliveries.has_open, connection_id, "Customer", "c2") is False
    assert move(deliveries.has_open, connection_id, "Product", "c1") is False
    move(deliveries.complete, {one.id: Outcome.CREATED}, "me", now=clock.now())
    assert move(deliveries.has_open, connection_id, "Customer", "c1") is False
