"""What workers have done is counted in the database, so that it outlives them."""

from __future__ import annotations

from erp_pipelines.delivery import worker
from erp_pipelines.domain.errors import Rejected, Throttled
from tests.support.toy import KEY


def stored(shop):
    return dict(shop.rows("select name, value from erp.integration_totals"))


def refuse(_):
    raise Rejected("The period is closed.", cause="closed-period", mend="Open it.")


def throttle(_):
    raise Throttled("Too many calls.", retry_after=60)


def test_tries_outcomes_and_calls_are_counted(runtime, shop, erp):
    shop.customer("c1")
    worker.serve(runtime, KEY)
    assert stored(shop) == {"attempts": 1, "outcome:Created": 1, "writes": 1}
    shop.customer("c2")
    erp.before.append(refuse)
    worker.serve(runtime, KEY)
    assert stored(shop) == {"attempts": 2, "outcome:Created": 1, "outcome:Abandoned": 1, "writes": 1}


def test_a_try_that_ends_in_a_pause_is_an_attempt_without_an_outcome(runtime, shop, erp):
    shop.customer("c1")
    erp.before.append(throttle)
    worker.serve(runtime, KEY)
    assert stored(shop) == {"attempts": 1}


def test_nothing_done_nothing_stored(runtime, shop):
    worker.serve(runtime, KEY)
    assert stored(shop) == {}
