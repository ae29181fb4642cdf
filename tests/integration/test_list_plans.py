"""Lists are answered by indexes whatever is filtered and however deep the page lies."""

from __future__ import annotations

import pytest

from erp_pipelines.storage import retention
from erp_pipelines.storage.engine import Database
from tests.support.list_questions import END, FILTERS, TENANT, figures, log_page, others
from tests.support.many_rows import fill, plans
from tests.support.postgres import a_database

ROWS = 20_000
MOST_PAGES = 150


@pytest.fixture(scope="module")
def filled(server, template):
    with a_database(server, template) as url:
        database = Database.connect(url)
        fill(database, ROWS)
        yield database
        database.dispose()


def the_plans(filled, ask, scope=TENANT):
    with filled.tenant(scope) as conn:
        return plans(conn, ask)


@pytest.mark.parametrize("depth", [0, 0.9])
@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_of_the_log_is_answered_by_an_index(filled, name, depth):
    [plan] = the_plans(filled, log_page(FILTERS[name], depth))
    assert not plan.reads_whole_table, plan
    assert plan.indexes


@pytest.mark.parametrize("depth", [0, 0.9])
@pytest.mark.parametrize("name", others(ROWS, 0))
def test_so_are_the_other_lists(filled, name, depth):
    for plan in the_plans(filled, others(ROWS, depth)[name]):
        assert not plan.reads_whole_table, plan
        assert plan.indexes


@pytest.mark.parametrize("depth", [0, 0.9])
def test_a_page_costs_what_its_rows_do_whatever_others_have_written_since(filled, depth):
    """In pages of 8 kB, which no other load on the machine changes: about one for each of the fifty rows."""
    asks = {name: (log_page(wanted, depth), MOST_PAGES) for name, wanted in FILTERS.items()}
    asks["inbox"] = (others(ROWS, depth)["inbox"], 10)
    with filled.tenant(TENANT) as conn:
        read = {name: sum(plan.pages for plan in plans(conn, ask, execute=True)) for name, (ask, _) in asks.items()}
    assert {name: pages for name, pages in read.items() if pages > asks[name][1]} == {}


@pytest.mark.parametrize("name", figures())
def test_the_figures_read_what_is_open_only(filled, name):
    for plan in the_plans(filled, figures()[name], "*"):
        assert not plan.reads_whole_table, plan


@pytest.mark.parametrize("page", [retention.scrub_calls, retention.delete_logs, retention.delete_notices])
def test_what_was_kept_long_enough_is_found_by_an_index(filled, page):
    for plan in the_plans(filled, lambda conn: page(conn, TENANT, END.replace(year=2020))):
        assert "Seq Scan" not in plan.nodes, plan
