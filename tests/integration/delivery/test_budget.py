from __future__ import annotations

import datetime as dt

import pytest

from erp_pipelines.delivery import budget, pull
from erp_pipelines.delivery.probe import probe
from erp_pipelines.storage import usage
from erp_pipelines.storage.usage import Usage
from tests.support.books import KEY, Shop


@pytest.fixture
def shop(database, clock):
    made = Shop(database, clock)
    made.clock.moment = dt.datetime(2040, 4, 10, 12, tzinfo=dt.UTC)
    made.twin.clock.set(made.clock.moment)
    made.there.connect(made.runtime)
    made.twin.throttle.core_plus.clear()
    return made


def used(shop):
    return shop.rows("select day, reads, writes from erp.integration_usage order by day")


def spend(shop, reads, day):
    with shop.runtime.db.tenant("acme") as conn:
        usage.add(conn, KEY, day=day, reads=reads, writes=1)


def alerts(shop):
    return [cause for (cause,) in shop.rows("select cause from erp.integration_alerts")]


def test_calls_are_counted_by_day_once_each(shop):
    shop.sale()
    shop.serve()
    shop.serve()
    pull.pull(shop.runtime, KEY)
    metered = shop.twin.throttle.core_plus["9130350000000001"]
    assert metered > 0
    assert used(shop) == [(dt.date(2040, 4, 10), metered, 4)]
    shop.clock.advance(days=1)
    shop.twin.clock.set(shop.clock.moment)
    probe(shop.runtime, KEY)
    assert used(shop)[1:] == [(dt.date(2040, 4, 11), 1, 0)]


def test_beyond_the_cap_pulls_and_probes_wait_and_deliveries_go_on(shop):
    shop.settings(readsPerMonth=11)
    spend(shop, 10, dt.date(2040, 4, 1))
    spend(shop, 500, dt.date(2040, 3, 31))
    assert pull.due(shop.runtime) == [KEY]
    pull.pull(shop.runtime, KEY)
    assert alerts(shop) == ["reads-spent"]
    shop.clock.advance(days=2)
    assert pull.due(shop.runtime) == []
    assert probe(shop.runtime, KEY).said == "its reads of this month are spent"
    pull.pull(shop.runtime, KEY)
    assert alerts(shop) == ["reads-spent"], "told once a month"
    shop.sale()
    assert shop.serve().counts["Created"] == 4
    shop.clock.advance(days=20)
    assert pull.due(shop.runtime) == [KEY], "a new month"


def test_without_a_cap_nothing_waits(shop):
    spend(shop, 10_000_000, dt.date(2040, 4, 1))
    assert pull.due(shop.runtime) == [KEY]
    assert alerts(shop) == []


def test_the_months_figures_and_their_forecast(shop):
    shop.settings(readsPerMonth=1000)
    spend(shop, 40, dt.date(2040, 3, 31))
    spend(shop, 70, dt.date(2040, 4, 1))
    spend(shop, 130, dt.date(2040, 4, 9))
    [found] = budget.of_tenant(shop.runtime, "acme")
    # 130 in the six and a half days since the 4th: 20 a day, for the 20.5 days that are left.
    assert found == budget.Budget("quickbooks", dt.date(2040, 4, 1), 200, 2, 200 + 410, 1000)
    assert not found.spent


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (dt.datetime(2040, 2, 29, 12, tzinfo=dt.UTC), 100 + 35 // 7 // 2 + 1),  # half a day is left, at 5.4 a day
        (dt.datetime(2040, 4, 1, 6, tzinfo=dt.UTC), 100 + 167),  # 35 in 6.25 days, for 29.75 more
    ],
)
def test_forecasts_at_the_edges_of_a_month(now, expected):
    assert budget.forecast(Usage("acme", "quickbooks", 100, 0, 35, dt.date(2040, 1, 1)), now) == expected


def test_a_history_of_an_hour_is_taken_for_a_day():
    now = dt.datetime(2040, 4, 1, 1, tzinfo=dt.UTC)
    assert budget.forecast(Usage("acme", "quickbooks", 10, 0, 10, dt.date(2040, 4, 1)), now) == 10 + 300
