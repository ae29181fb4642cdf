"""What `/metrics` says of queue, inbox, connections and work done: exact figures, and none of a tenant's own."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.storage import totals
from tests.integration.access.fakes import connect
from tests.integration.web.conftest import Api

KEY = ConnectionKey("acme", "quickbooks")
EVENTS = """
with event as (
  insert into erp.integration_outbox (tenant_id, event_type, entity_type, entity_id, payload)
  values (:tenant, 'CustomerUpdated', 'Customer', :id, '{}') returning id, seq)
insert into erp.integration_deliveries (outbox_id, seq, tenant_id, provider, connection_id, entity_type, entity_id, ordering_key,
  status, created_at, in_doubt, claimed_by, claimed_until, processed_at, cause, outcome)
select event.id, event.seq, c.tenant_id, c.provider, c.id, 'Customer', :id, 'Customer:' || :id, cast(:status as text), :at, :doubt,
  case when :status = 'Processing' then 'w' end, case when :status = 'Processing' then now() end,
  case when :status in ('Completed', 'Abandoned') then now() end, case when :status = 'Abandoned' then 'closed-period' end,
  case when :status = 'Completed' then 'Created' end
from event, erp.integration_connections c where c.tenant_id = :tenant
"""
NOTICE = """
insert into erp.integration_inbox (tenant_id, provider, external_event_id, external_type, external_id, operation, received_at, status,
  processed_at)
values (:tenant, 'quickbooks', :id, 'Invoice', '1', 'Update', :at, cast(:status as text), case when :status = 'Completed' then now() end)
"""


def figures(api: Api) -> dict[tuple[str, str], float]:
    """By name and labels; each scrape is read anew."""
    api.runtime.clock.advance(minutes=1)
    text = api.client.get("/metrics").text
    return {
        (sample.name, ",".join(sorted(sample.labels.values()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of(found: dict[tuple[str, str], float], name: str) -> dict[str, float]:
    return {labels: value for (metric, labels), value in found.items() if metric == name}


@pytest.fixture
def connected(api: Api) -> Api:
    connect(api.runtime)
    api.oauth.companies["9131"] = "Second Books"
    connect(api.runtime, "beta", "9131", "code-2")
    return api


def put(api: Api, statement: str, *ages: float, tenant: str = "acme", status: str = "Pending", **values: Any) -> None:
    """A row of each age in seconds, as seen by the next scrape."""
    then = api.runtime.clock.now() + dt.timedelta(minutes=1)
    with api.runtime.db.system() as conn:
        for age in ages:
            at = then - dt.timedelta(seconds=age)
            row = {"tenant": tenant, "id": f"{tenant}-{status}-{age}", "status": status, "at": at, **values}
            conn.execute(sa.text(statement), row)


def event(api: Api, *ages: float, doubt: bool = False, **values: Any) -> None:
    put(api, EVENTS, *ages, doubt=doubt, **values)


def test_the_queue_by_state_over_all_tenants(connected: Api) -> None:
    event(connected, 30, 90)
    event(connected, 600, tenant="beta")
    event(connected, 5, status="Failed", doubt=True)
    event(connected, 7, status="Processing", doubt=True)
    event(connected, 7200, status="Abandoned", doubt=True)
    event(connected, 9000, status="Completed")
    found = figures(connected)
    assert of(found, "erp_queue_events") == {
        "Pending,quickbooks": 3, "Failed,quickbooks": 1, "Processing,quickbooks": 1, "Abandoned,quickbooks": 1,
    }  # fmt: skip
    assert of(found, "erp_queue_oldest_seconds") == {
        "Pending,quickbooks": 600, "Failed,quickbooks": 5, "Processing,quickbooks": 7, "Abandoned,quickbooks": 7200,
    }  # fmt: skip
    assert of(found, "erp_in_doubt_events") == {"quickbooks": 2}  # what is being sent right now is no doubt yet


def test_the_inbox_by_state(connected: Api) -> None:
    put(connected, NOTICE, 10, 40)
    put(connected, NOTICE, 20, status="InProgress")
    put(connected, NOTICE, 500, status="Completed")
    found = figures(connected)
    assert of(found, "erp_inbox_notices") == {"Pending,quickbooks": 2, "InProgress,quickbooks": 1}
    assert of(found, "erp_inbox_oldest_seconds") == {"Pending,quickbooks": 40, "InProgress,quickbooks": 20}


def test_the_headroom_is_that_of_the_tightest_account(connected: Api) -> None:
    now = connected.runtime.clock.now() + dt.timedelta(minutes=1)
    pace = "insert into erp.integration_pacing (connection_id, tenant_id, next_free_at, in_flight) select id, tenant_id, :at, :n from erp.integration_connections where tenant_id = :t"
    with connected.runtime.db.system() as conn:
        conn.execute(sa.text(pace), {"t": "acme", "at": now + dt.timedelta(seconds=15), "n": 4})
        conn.execute(sa.text(pace), {"t": "beta", "at": now - dt.timedelta(seconds=15), "n": 2})
        conn.execute(
            sa.text("update erp.integration_connections set paused_until = :at where tenant_id = 'beta'"),
            {"at": now + dt.timedelta(seconds=1)},
        )
    found = figures(connected)
    assert of(found, "erp_calls_at_once_limit") == {"quickbooks": 2}
    assert of(found, "erp_calls_left_this_minute") == {"quickbooks": 45}  # of 60, where nothing else is set
    assert of(found, "erp_paused_connections") == {"quickbooks": 1}
    assert of(found, "erp_connections") == {"Connected,quickbooks": 2}


def test_the_first_end_of_a_grant(connected: Api) -> None:
    now = connected.runtime.clock.now() + dt.timedelta(minutes=1)
    ends = "update erp.integration_connections set refresh_token_expires_at = :soon, grant_ends_at = :late where tenant_id = :t"
    with connected.runtime.db.system() as conn:
        for tenant, days in (("acme", 3), ("beta", 5)):
            values = {"t": tenant, "soon": now + dt.timedelta(days=days), "late": now + dt.timedelta(days=10 * days)}
            conn.execute(sa.text(ends), values)
    day = 86_400
    assert of(figures(connected), "erp_token_expiry_seconds") == {
        "quickbooks,renewal": 3 * day,
        "consent,quickbooks": 30 * day,
    }
    with connected.runtime.db.system() as conn:  # what is not connected has no end to watch
        conn.execute(sa.text("update erp.integration_connections set state = 'Reconnect needed'"))
    found = figures(connected)
    assert of(found, "erp_token_expiry_seconds") == {}
    assert of(found, "erp_connections") == {"Reconnect needed,quickbooks": 2}


def test_what_was_done_is_summed_over_tenants(connected: Api) -> None:
    for tenant in ("acme", "beta"):
        key = ConnectionKey(tenant, "quickbooks")
        with connected.runtime.db.tenant(tenant) as conn:
            totals.add(conn, key, {"attempts": 3, "outcome:Created": 2, "reads": 5, "writes": 2, "throttles": 1})
            totals.add(conn, key, {"attempts": 1, "notices": 4, "pulled": 6})
    found = figures(connected)
    names = ("erp_attempts_total", "erp_throttles_total", "erp_notices_worked_total", "erp_changes_pulled_total")
    assert [of(found, name) for name in names] == [{"quickbooks": value} for value in (8, 2, 8, 12)]
    assert of(found, "erp_outcomes_total") == {"Created,quickbooks": 4}
    assert of(found, "erp_calls_total") == {"quickbooks,read": 10, "quickbooks,write": 4}


def test_who_asks_again_at_once_costs_the_database_nothing(connected: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    first = figures(connected)
    event(connected, 30)
    monkeypatch.setattr(type(connected.runtime.db), "system", lambda _: pytest.fail("The database was asked."))
    assert "erp_queue_events{" not in connected.client.get("/metrics").text
    monkeypatch.undo()
    assert of(first, "erp_queue_events") == {}
    assert of(figures(connected), "erp_queue_events") == {"Pending,quickbooks": 1}


def test_no_label_names_a_tenant(connected: Api) -> None:
    event(connected, 30)
    with connected.runtime.db.tenant("acme") as conn:
        totals.add(conn, KEY, {"attempts": 1})
    connected.runtime.clock.advance(minutes=1)
    text = connected.client.get("/metrics").text
    assert "erp_queue_events{" in text
    assert "acme" not in text
    assert "9130" not in text
