"""The real daemon, sensors and runs, looked at over Dagster's GraphQL."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import pytest
import sqlalchemy as sa

from erp_pipelines.cli.stack import Stack
from erp_pipelines.cli.web import Web
from erp_pipelines.commerce import customers, orders, payments, products
from erp_pipelines.domain.orders import Shipping
from erp_pipelines.server.supervisor import Supervisor
from tests.support.factories import make_customer, make_order, make_product
from tests.support.ports import free_ports
from tests.support.stage import staged

pytestmark = pytest.mark.slow

ORDERS = 20
RUNS = """query($tags: [ExecutionTag!]) { runsOrError(filter: {tags: $tags}) { ... on Runs {
  results { runId jobName status tags { key value } } } } }"""
ASSET = """{ assetNodeOrError(assetKey: {path: ["orders_in_erp"]}) { ... on AssetNode {
  assetPartitionStatuses { ... on DefaultPartitionStatuses { materializedPartitions failedPartitions } }
  assetMaterializations(limit: 50) { runId partition metadataEntries { label
    ... on IntMetadataEntry { intValue } ... on TableMetadataEntry { table { records } } } } } } }"""
LAUNCH = """mutation($s: [AssetKeyInput!]!, $p: [String!]!) { launchPartitionBackfill(
  backfillParams: {assetSelection: $s, partitionNames: $p}) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""


@pytest.fixture
def stack(database_url, empty_database_url, tmp_path, monkeypatch, request):
    """Web app, code server, daemon and Dagster's web server, beside the twin and one connected tenant."""
    ports = dict(zip(("ERP_API_PORT", "ERP_DAGSTER_PORT", "ERP_CODE_PORT"), map(str, free_ports(3)), strict=True))
    asked = dict(getattr(request, "param", {}))
    daemons = asked.pop("daemons", 1)
    with staged(database_url) as stage:
        stage.extra = ports | {"ERP_DATA_DIR": str(tmp_path), "ERP_LINGER_SECONDS": "3"} | asked
        for name in [name for name in os.environ if name.startswith(("ERP_", "DAGSTER"))]:
            monkeypatch.delenv(name)
        runtime = stage.runtime()
        stage.connect(runtime)
        services = Stack(stage.settings(), database_url, empty_database_url).services(stage.environment())
        services += [replace(services[-1], name=f"daemon {number}") for number in range(2, daemons + 1)]
        with Supervisor(services, log_dir=tmp_path / "logs") as supervisor:
            supervisor.start()
            yield Watched(stage, runtime, Web(f"http://127.0.0.1:{ports['ERP_DAGSTER_PORT']}"), supervisor)
        runtime.db.dispose()


class Watched:
    def __init__(self, stage, runtime, dagster, supervisor) -> None:
        self.stage, self.runtime, self.dagster, self.supervisor = stage, runtime, dagster, supervisor

    def ask(self, query, **variables):
        return self.dagster.post("/graphql", {"query": query, "variables": variables})["data"]

    def runs(self, **tags):
        wanted = [{"key": key, "value": value} for key, value in tags.items()]
        return self.ask(RUNS, tags=wanted)["runsOrError"]["results"]

    def until(self, holds, seconds=120.0):
        ends = time.monotonic() + seconds
        while not (found := holds()):
            assert time.monotonic() < ends, "it did not come about"
            self.supervisor.check()
            time.sleep(0.2)
        return found

    def save_orders(self, count, **changes):
        with self.runtime.db.tenant("acme") as conn:
            customers.save(conn, "acme", make_customer())
            products.save(conn, "acme", make_product())
        for number in range(count):
            with self.runtime.db.tenant("acme") as conn:
                order = make_order(f"o{number}", **changes)
                orders.save(conn, "acme", order)
                payments.pay(conn, "acme", order.id, date=order.order_date)

    def unfinished(self):
        with self.runtime.db.tenant("acme") as conn:
            waiting = sa.text(
                "select count(*) from erp.integration_deliveries where status in ('Pending', 'Processing', 'Failed')"
            )
            return conn.execute(waiting).scalar_one()


@pytest.mark.timeout(300)
def test_paid_orders_become_invoices_and_a_poison_event_fails_no_run(stack):
    stack.stage.twin.add_company("9130350000000001", allow_shipping=False)
    with stack.runtime.db.tenant("acme") as conn:
        conn.execute(
            sa.text("update erp.integration_connections set company = company || '{\"allowShipping\": false}'")
        )
    stack.save_orders(ORDERS)
    with stack.runtime.db.tenant("acme") as conn:
        poison = make_order("poison", shipping=Shipping(amount="5.00"))
        orders.save(conn, "acme", poison)
        payments.pay(conn, "acme", "poison", date=poison.order_date)
    stack.until(lambda: not stack.unfinished())

    company = stack.stage.twin.company()
    assert sorted(invoice["DocNumber"] for invoice in company.invoices) == sorted(f"o{n}" for n in range(ORDERS))
    assert {invoice["Balance"] for invoice in company.invoices} == {0}
    runs = stack.until(lambda: stack.runs(**{"dagster/partition": "acme:quickbooks"}))
    assert {run["jobName"] for run in runs} == {"sync_connection"}
    stack.until(lambda: all(run["status"] == "SUCCESS" for run in stack.runs()))

    asset = stack.ask(ASSET)["assetNodeOrError"]
    assert asset["assetPartitionStatuses"] == {"materializedPartitions": ["acme:quickbooks"], "failedPartitions": []}
    entries = [entry for made in asset["assetMaterializations"] for entry in made["metadataEntries"]]
    assert sum(entry["intValue"] for entry in entries if entry["label"] == "sent") == ORDERS * 2
    tables = [record for entry in entries if "table" in entry for record in entry["table"]["records"]]
    assert any("poison" in record and "hipping" in record for record in tables)

    bulk_sync_of_all_sends_nothing(stack)


def bulk_sync_of_all_sends_nothing(stack):
    """The backfill of the asset is the bulk sync; what stands in QuickBooks unchanged costs no call."""
    stack.stage.twin.calls.clear()
    answer = stack.ask(LAUNCH, s=[{"path": ["orders_in_erp"]}], p=["acme:quickbooks"])["launchPartitionBackfill"]
    assert answer["__typename"] == "LaunchBackfillSuccess", answer
    tags = {"dagster/backfill": answer["backfillId"]}
    run = stack.until(
        lambda: next((run for run in stack.runs(**tags) if run["status"] in ("SUCCESS", "FAILURE")), None)
    )
    assert run["status"] == "SUCCESS"
    assert [call for call in stack.stage.twin.calls.since() if call.kind == "write"] == []


@pytest.mark.timeout(300)
@pytest.mark.parametrize("stack", [{"ERP_CONNECTION_RUNS": "0", "ERP_LANES": "1"}], indirect=True)
def test_beyond_the_number_of_connection_runs_a_lane_serves(stack):
    stack.save_orders(3)
    stack.until(lambda: not stack.unfinished())
    assert len(stack.stage.twin.company().invoices) == 3
    by_the_clock = {"check_fleet", "keep_connections", "pull_changes"}
    assert {run["jobName"] for run in stack.runs()} - by_the_clock == {"drain"}
    statuses = stack.until(
        lambda: stack.ask(ASSET)["assetNodeOrError"]["assetPartitionStatuses"]["materializedPartitions"]
    )
    assert statuses == ["acme:quickbooks"]


OVERLAPS = """select 1 from erp.integration_sync_logs a join erp.integration_sync_logs b
on (a.entity_type, a.entity_id) = (b.entity_type, b.entity_id) and a.id <> b.id
where a.delivery_id is not null and b.delivery_id is not null
and a.started_at < b.completed_at and b.started_at < a.completed_at"""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("stack", [{"daemons": 2}], indirect=True)
def test_two_daemons_by_mistake_send_nothing_twice_and_keep_the_order_of_each_record(stack):
    for version in range(3):
        stack.save_orders(ORDERS, memo=f"v{version}")
        time.sleep(1)
    stack.until(lambda: not stack.unfinished())
    company = stack.stage.twin.company()
    assert sorted(invoice["DocNumber"] for invoice in company.invoices) == sorted(f"o{n}" for n in range(ORDERS))
    assert {invoice["PrivateNote"].rpartition("\n")[2] for invoice in company.invoices} == {"v2"}
    assert len(company.payments) == ORDERS
    with stack.runtime.db.tenant("acme") as conn:
        assert conn.execute(sa.text(OVERLAPS)).all() == []
    stack.until(lambda: all(run["status"] == "SUCCESS" for run in stack.runs()))
