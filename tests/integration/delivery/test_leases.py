from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace

import pytest

from erp_pipelines.storage import deliveries, sending
from tests.support.toy import KEY

LEASE = dt.timedelta(minutes=5)
CLAIMS = "select entity_id, claimed_until, in_doubt from erp.integration_deliveries order by seq"
DOUBTS = "select entity_id, delivery_id::text, sent_at, payload from erp.integration_doubts"
WRITTEN = "select seq, xmin::text from erp.integration_outbox order by seq"  # another xmin: the row was written


@pytest.fixture
def claimed(database, shop, connection_id, clock):
    for number in range(1, 4):
        shop.customer(f"c{number}")
    with database.tenant(KEY.tenant_id) as conn:
        return deliveries.claim(conn, connection_id, "me", now=clock.now(), until=clock.now() + LEASE, limit=10)


def send(database, connection_id, claim, now, owner="me"):
    with database.tenant(KEY.tenant_id) as conn:
        ids = [one.id for one in claim]
        new = [sending.Sending("Customer", "c9", {"id": "c9"}, 0, ids[0])]
        return sending.mark(conn, KEY, connection_id, ids, owner, new, now=now, until=now + LEASE)


def test_a_write_renews_its_own_lease_and_the_others_at_half_time_only(database, shop, connection_id, claimed, clock):
    first, second, _ = claimed
    began, written = clock.now(), shop.rows(WRITTEN)
    clock.advance(minutes=1)
    assert send(database, connection_id, [first], clock.now()) is True
    early = clock.now() + LEASE
    assert shop.rows(CLAIMS) == [("c1", early, True), ("c2", began + LEASE, False), ("c3", began + LEASE, False)]
    clock.advance(minutes=2)
    assert send(database, connection_id, [second], clock.now()) is True
    late = clock.now() + LEASE
    assert shop.rows(CLAIMS) == [("c1", early, True), ("c2", late, True), ("c3", late, False)]
    assert shop.rows(WRITTEN) == written  # no summary tells of a send
    assert shop.rows(DOUBTS) == [("c9", first.id, clock.now(), {"id": "c9"})]  # what was noted first stays


def test_what_somebody_else_owns_is_neither_noted_nor_renewed(database, shop, connection_id, claimed, clock):
    before = shop.rows(CLAIMS)
    assert send(database, connection_id, claimed, clock.now() + LEASE, owner="other") is False
    assert shop.rows(CLAIMS) == before
    assert shop.rows(DOUBTS) == []


def test_what_leaves_with_somebody_else_s_is_not_noted_either(database, shop, connection_id, claimed, clock):
    lost = replace(claimed[1], id=str(uuid.uuid4()))
    assert send(database, connection_id, [claimed[0], lost], clock.now()) is False
    assert shop.rows(DOUBTS) == []
