"""What has been kept long enough goes, and nothing that anybody still asks for goes with it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from erp_pipelines.delivery import retention, worker
from erp_pipelines.domain.errors import Rejected
from erp_pipelines.domain.events import EntityType
from erp_pipelines.domain.retention import Keep
from erp_pipelines.storage import commerce_ids
from erp_pipelines.storage import retention as pages
from tests.support.toy import KEY, connect

KEEP = Keep(payload_days=90, event_days=365, notice_days=90, log_days=730)
NOTHING = {
    "calls scrubbed": 0, "event payloads scrubbed": 0, "events deleted": 0, "notices deleted": 0, "log entries deleted": 0,
}  # fmt: skip


@pytest.fixture
def runtime(runtime):
    return replace(runtime, keep=KEEP)


def retain(runtime, days):
    runtime.clock.advance(dt.timedelta(days=days).total_seconds())
    return {name: count for name, count in retention.retain(runtime).items() if count}


def events(shop):
    return shop.rows("select entity_id, payload <> '{}' from erp.integration_outbox order by seq")


def deliver(runtime, shop, *names):
    """One event after the other of customer c1, each brought."""
    for name in names:
        shop.customer("c1", name=name)
        worker.serve(runtime, KEY)


def test_nothing_goes_before_its_time(runtime, shop):
    deliver(runtime, shop, "One", "Two")
    assert retention.retain(runtime) == NOTHING
    assert retain(runtime, 89) == {}
    assert events(shop) == [("c1", True), ("c1", True)]


def test_payloads_of_finished_events_are_emptied_then_the_events_go_but_the_newest(runtime, shop):
    deliver(runtime, shop, "One", "Two", "Three")
    assert retain(runtime, 91) == {"event payloads scrubbed": 2}
    assert events(shop) == [("c1", False), ("c1", False), ("c1", True)]
    assert retain(runtime, 1) == {}
    assert retain(runtime, 300) == {"events deleted": 2}
    assert events(shop) == [("c1", True)]
    assert len(shop.deliveries()) == 1
    with shop.database.tenant("acme") as conn:
        assert commerce_ids.newest_payload(conn, "acme", EntityType.CUSTOMER, "c1")["name"] == "Three"
    deliver(runtime, shop, "Four")
    assert shop.deliveries("status, outcome") == [("Completed", "Updated")] * 2


def test_what_is_not_done_is_kept_with_what_superseded_it(runtime, shop, erp):
    def refuse(_):
        raise Rejected("No.", cause="closed-period", mend="Open it.")

    erp.before.append(refuse)
    deliver(runtime, shop, "One", "Two", "Three")
    assert [status for (status,) in shop.deliveries("status")] == ["Abandoned", "Completed", "Completed"]
    assert retain(runtime, 400) == {}
    assert events(shop) == [("c1", True)] * 3


def test_how_a_record_stands_at_each_connection_is_kept(runtime, shop):
    deliver(runtime, shop, "One", "Two")
    shop.rows("update erp.integration_connections set auto_sync_enabled = false returning 1")
    shop.customer("c1", name="Three")  # for no connection
    assert retain(runtime, 400) == {"events deleted": 1}
    assert shop.deliveries("outcome") == [("Updated",)]
    assert len(events(shop)) == 2


def test_what_was_said_to_an_erp_goes_and_its_entry_stays(runtime, shop):
    deliver(runtime, shop, "One")
    shop.rows(
        "update erp.integration_sync_logs set request_payload = '{\"calls\": []}', response_payload = '{}' returning 1"
    )
    assert retain(runtime, 91) == {"calls scrubbed": 1}
    assert shop.rows("select outcome, request_payload, response_payload from erp.integration_sync_logs") == [
        ("Created", None, None)
    ]
    assert retain(runtime, 640) == {"log entries deleted": 1}
    assert shop.rows("select 1 from erp.integration_sync_logs") == []


def test_notices_go_when_they_are_done(runtime, shop):
    put = """
        insert into erp.integration_inbox (tenant_id, provider, external_event_id, external_type, external_id, operation, status, processed_at)
        values ('acme', 'toy', :id, 'Invoice', '1', 'Update', :status, case when :status <> 'Failed' then now() end) returning 1
    """
    for number, status in enumerate(("Completed", "Skipped", "Failed")):
        shop.rows(put, id=str(number), status=status)
    assert retain(runtime, 91) == {"notices deleted": 2}
    assert shop.rows("select status from erp.integration_inbox") == [("Failed",)]


def test_every_tenant_and_every_page(runtime, shop, database, monkeypatch):
    monkeypatch.setattr(pages, "PAGE", 2)
    other = replace(KEY, tenant_id="beta")
    connect(database, other, "company-2")
    deliver(runtime, shop, *"abcdefg")
    shop.rows(
        "insert into erp.integration_sync_logs (tenant_id, provider, entity_type, direction, status) select 'acme', 'toy', 'Order', 'ToExternal', 'Completed' from generate_series(1, 5) returning 1"
    )
    with database.tenant("beta") as conn:
        conn.exec_driver_sql(
            "insert into erp.integration_sync_logs (tenant_id, provider, entity_type, direction, status) values ('beta', 'toy', 'Order', 'ToExternal', 'Completed')"
        )
    assert retain(runtime, 800) == {"events deleted": 6, "log entries deleted": 13}
    assert len(events(shop)) == 1
