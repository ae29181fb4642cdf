"""A bulk sync that is cancelled: nothing more of it begins, and no news of any other event is lost with it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from erp_pipelines.delivery import bulk, worker
from erp_pipelines.domain.errors import NotFound
from tests.support.toy import KEY


def cancel(runtime, sync_id):
    return bulk.cancel(runtime, KEY, sync_id, "ann")


@pytest.fixture
def settled(runtime, shop):
    """Three customers whose own events are done; how to ask for a bulk sync of them."""
    for number in range(3):
        shop.customer(f"c{number}")
    worker.serve(runtime, KEY)
    return lambda: bulk.request(runtime, KEY, ["Customer"], by="ann", chunk=2)


def test_what_was_never_begun_ends_with_a_word_in_the_log(runtime, shop, erp, settled):
    before = list(erp.arrived)
    sync_id = settled()
    assert cancel(runtime, sync_id) == 3
    at = bulk.progress(runtime, KEY, sync_id)
    assert (at.total, at.skipped, at.successful, at.finished, at.cancelled) == (3, 3, 0, True, True)
    logged = shop.rows("select entity_id, status, outcome, actor, error_message from erp.integration_sync_logs"
                       " where actor = 'ann' order by entity_id")  # fmt: skip
    words = "The bulk sync was cancelled by ann."
    assert logged == [(f"c{n}", "Skipped", "NotWanted", "ann", words) for n in range(3)]
    worker.serve(runtime, KEY)
    assert erp.arrived == before
    assert cancel(runtime, sync_id) == 0


def test_a_cancelled_one_is_not_gone_on_with(runtime, settled):
    first = settled()
    cancel(runtime, first)
    assert settled() != first


def test_queueing_stops_at_the_next_chunk(runtime, settled):
    sync_id, kinds = bulk.begin(runtime, KEY, ["Customer"], by="ann")
    cancel(runtime, sync_id)
    bulk.queue(runtime, KEY, sync_id, kinds, chunk=2)
    assert bulk.progress(runtime, KEY, sync_id).total == 0
    assert bulk.progress(runtime, KEY, sync_id).finished


def test_what_has_failed_or_is_in_doubt_goes_on(runtime, shop, erp, clock, settled):
    sync_id = settled()
    worker.serve(runtime, KEY, worker.Budget(events=1))
    shop_exec(shop, "update erp.integration_deliveries set attempts = 1 where sync_id is not null and entity_id = 'c1'")
    assert cancel(runtime, sync_id) == 1
    assert states(shop) == [("c0", "Completed", "Unchanged"), ("c1", "Pending", None), ("c2", "Completed", "NotWanted")]
    worker.serve(runtime, KEY)
    at = bulk.progress(runtime, KEY, sync_id)
    assert (at.skipped, at.finished) == (3, True)


def states(shop):
    return shop.rows(
        "select entity_id, status, outcome from erp.integration_deliveries where sync_id is not null order by seq"
    )


def shop_exec(shop, statement):
    with shop.database.tenant(KEY.tenant_id) as conn:
        conn.execute(sa.text(statement))


BEFORE = "where sync_id is null and entity_id = 'c0' and seq = (select max(seq) from erp.integration_deliveries where sync_id is null and entity_id = 'c0')"


@pytest.mark.parametrize(
    "changes",
    [
        "status = 'Pending'",
        "status = 'Processing', claimed_by = 'worker', claimed_until = now() + interval '5 minutes'",
        "status = 'Failed'",
        "status = 'Abandoned', processed_at = now(), cause = 'rule'",
        "status = 'Completed', outcome = 'Superseded', processed_at = now()",
    ],
)
def test_an_event_that_carries_an_earlier_ones_news_is_not_cancelled(runtime, shop, erp, settled, changes):
    shop.customer("c0", name="Renamed")
    sync_id = settled()
    shop_exec(shop, f"update erp.integration_deliveries set {changes} {BEFORE}")
    assert cancel(runtime, sync_id) == 2
    worker.serve(runtime, KEY)
    assert erp.arrived[-1] == ("update:0", "Customer", "c0")


def test_an_unknown_one_is_named(runtime):
    with pytest.raises(NotFound, match="no bulk sync"):
        cancel(runtime, "00000000-0000-0000-0000-000000000000")
