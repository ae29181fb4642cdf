"""A long backlog, younger than PostgreSQL's statistics of it: its next events are found without comparing all of it."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from erp_pipelines.storage import deliveries, due
from erp_pipelines.storage.due import LOCK_PREFIX
from tests.support.toy import KEY

BACKLOG, LIMIT = 1500, 20
EMIT = """
select count(erp.emit_event('acme', 'CustomerUpdated', 'Customer', 'c' || n, jsonb_build_object('id', 'c' || n, 'name', 'C')))
from generate_series(1, :count) n
"""


@pytest.fixture
def backlog(database, connection_id):
    with database.tenant(KEY.tenant_id) as conn:
        conn.execute(sa.text("alter table erp.integration_deliveries set (autovacuum_enabled = false)"))
        conn.execute(sa.text(EMIT), {"count": BACKLOG})
    return connection_id


def touched(conn, statement, values):
    """Rows that the steps of a statement gave or threw away, all in all."""
    explained = f"explain (analyze, format json) {statement.text}"
    [(plans,)] = conn.execute(sa.text(explained), values)
    return count(plans[0]["Plan"])


def count(plan):
    thrown = [plan.get(name, 0) for name in ("Rows Removed by Join Filter", "Rows Removed by Filter")]
    return (plan["Actual Rows"] + sum(thrown)) * plan["Actual Loops"] + sum(
        count(part) for part in plan.get("Plans", ())
    )


def test_the_next_events_of_a_backlog_are_claimed_without_comparing_it_with_itself(database, backlog):
    now = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1)
    values = {"connection": backlog, "owner": "me", "now": now, "until": now, "limit": LIMIT, "entities": None}
    with database.tenant(KEY.tenant_id) as conn:
        # Without statistics each of the claimed ones may be looked for by a scan: that is all.
        assert touched(conn, deliveries._CLAIM, values) < (LIMIT + 5) * BACKLOG
    with database.tenant(KEY.tenant_id) as conn:
        claimed = deliveries.claim(conn, backlog, "me", now=now, until=now, limit=5)
    assert [claim.entity_id for claim in claimed] == ["c21", "c22", "c23", "c24", "c25"]


def test_what_is_due_is_told_without_comparing_a_backlog_with_itself(database, backlog):
    values = {"now": dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1), "prefix": LOCK_PREFIX}
    with database.system() as conn:
        assert touched(conn, due._CONNECTIONS, values) < 10 * BACKLOG
        assert due.connections(conn, now=values["now"]) == [KEY]
