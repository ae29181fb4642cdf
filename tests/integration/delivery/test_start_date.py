"""The day from which a connection has its orders: what is older stays out of the ERP's books."""

from __future__ import annotations

import datetime as dt

from erp_pipelines.access import connections as access
from erp_pipelines.delivery import worker
from tests.support.toy import KEY

START = dt.date(2026, 3, 1)


def start_on(runtime, day: dt.date | None) -> None:
    access.change_settings(runtime, KEY, {"startDate": day}, "ann")


def test_an_order_of_before_the_start_and_its_payment_stay_out(runtime, shop, erp):
    start_on(runtime, START + dt.timedelta(days=1))
    shop.paid_order()
    worker.serve(runtime, KEY)
    assert (erp.of("Order"), erp.of("Payment")) == ([], [])
    assert set(shop.states("Order")) == {("o1", "Completed", "NotWanted"), ("o1", "Completed", "Superseded")}
    assert [state[1:] for state in shop.states("Payment")] == [("Completed", "NotWanted")]
    said = shop.rows("select distinct error_message from erp.integration_sync_logs where outcome = 'NotWanted'")
    assert said == [("The order is of before 2026-03-02, where this connection starts.",)]


def test_an_order_of_the_first_day_is_brought(runtime, shop, erp):
    start_on(runtime, START)
    shop.paid_order()
    worker.serve(runtime, KEY)
    assert (erp.of("Order"), len(erp.of("Payment"))) == (["o1"], 1)


def test_an_order_that_stands_there_is_followed_up_whatever_the_start(runtime, shop, erp):
    shop.paid_order()
    worker.serve(runtime, KEY)
    start_on(runtime, START + dt.timedelta(days=1))
    shop.order(memo="Leave it at the gate")
    worker.serve(runtime, KEY)
    assert erp.arrived[-1] == ("update:0", "Order", "o1")
