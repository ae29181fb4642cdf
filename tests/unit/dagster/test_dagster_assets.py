from __future__ import annotations

import dagster as dg
import pytest

from erp_pipelines.assets.in_erp import ASSETS
from erp_pipelines.assets.kinds import CUSTOMERS, ORDERS
from erp_pipelines.definitions import build_defs
from tests.unit.dagster.pretended import ACME, QUICK, ZETA, document, failure, report

KEYS = ["acme:quickbooks", "zeta:netsuite"]


def materialize(instance, resource, asset, **given):
    instance.add_dynamic_partitions("connections", KEYS)
    return dg.materialize(
        [asset for asset in ASSETS if isinstance(asset, dg.AssetsDefinition)],
        selection=[asset], instance=instance, resources={"runtime": resource}, **given,
    )  # fmt: skip


def materialized(instance, asset, partition):
    wanted = dg.AssetRecordsFilter(asset_key=asset, asset_partitions=[partition])
    return [record.asset_materialization for record in instance.fetch_materializations(wanted, limit=10).records]


def test_materializing_queues_the_sync_and_ends_with_it(delivery, resource, instance):
    delivery.add(ACME, report(documents=[document()], more=True), report(documents=[document(entity_id="10250")]))
    assert materialize(instance, resource, ORDERS, partition_key=KEYS[0]).success
    assert delivery.requested == [("acme:quickbooks", ("Order",))]
    (told,) = materialized(instance, ORDERS, KEYS[0])
    assert told.metadata["sent"].value == 2
    assert told.metadata["records"].value == 10
    assert told.metadata["successful"].value == 9


def test_what_else_was_due_is_told_of_its_own_asset(delivery, resource, instance):
    delivery.add(ACME, report(documents=[document(), document("Customer", "ALFKI")]))
    materialize(instance, resource, ORDERS, partition_key=KEYS[0])
    (told,) = materialized(instance, CUSTOMERS, KEYS[0])
    assert told.metadata["sent"].value == 1
    assert len(materialized(instance, ORDERS, KEYS[0])) == 1


def test_where_another_worker_holds_the_connection_the_run_follows_it_to_the_end(
    delivery, resource, instance, monkeypatch
):
    monkeypatch.setattr("erp_pipelines.assets.bulk_sync.FOLLOW_SECONDS", 0.01)
    delivery.held.add(ACME)
    delivery.add(ACME, report(documents=[document()]), report(documents=[document()]))
    delivery.on_wait = delivery.waiting[ACME].pop  # the other worker's progress
    assert materialize(instance, resource, ORDERS, partition_key=KEYS[0]).success
    assert delivery.served == []
    (told,) = materialized(instance, ORDERS, KEYS[0])
    assert (told.metadata["sent"].value, told.metadata["successful"].value) == (0, 9)


def test_a_bad_record_fails_no_run(delivery, resource, instance):
    delivery.add(ACME, report(failures=[failure()]))
    assert materialize(instance, resource, ORDERS, partition_key=KEYS[0]).success
    (told,) = materialized(instance, ORDERS, KEYS[0])
    assert told.metadata["errors"].records[0].data["mend"] == "Reopen it, then retry."


@pytest.fixture
def backfill_run(runtime, instance):
    """A run over both connections, as Dagster's backfill makes them."""
    instance.add_dynamic_partitions("connections", KEYS)
    job = (
        build_defs(runtime_factory=lambda: runtime, pace=QUICK)
        .get_repository_def()
        .get_implicit_job_def_for_assets([ORDERS])
    )
    tags = {"dagster/asset_partition_range_start": KEYS[0], "dagster/asset_partition_range_end": KEYS[1]}
    return lambda: job.execute_in_process(instance=instance, tags=tags, asset_selection=[ORDERS], raise_on_error=False)


def test_a_range_run_tells_each_partition_its_own_numbers(delivery, instance, backfill_run):
    delivery.add(ACME, report(documents=[document()]))
    delivery.add(ZETA, report(ZETA, documents=[document(), document(entity_id="2")]))
    assert backfill_run().success
    assert [materialized(instance, ORDERS, key)[0].metadata["sent"].value for key in KEYS] == [1, 2]
    assert delivery.requested == [(key, ("Order",)) for key in KEYS]


def test_a_connection_that_needs_a_person_is_not_materialized_and_holds_up_nobody(delivery, instance, backfill_run):
    delivery.connected.remove(ACME)
    delivery.add(ACME, report(parked="Reconnect needed: the grant was revoked."), report())
    delivery.add(ZETA, report(ZETA, documents=[document()]))
    assert not backfill_run().success
    assert materialized(instance, ORDERS, KEYS[0]) == []
    assert materialized(instance, ORDERS, KEYS[1])[0].metadata["sent"].value == 1


def test_a_pause_is_waited_for(delivery, resource, instance):
    delivery.add(ACME, report(parked="The provider asked for a pause."), report(documents=[document()]))
    assert materialize(instance, resource, ORDERS, partition_key=KEYS[0]).success
    assert materialized(instance, ORDERS, KEYS[0])[0].metadata["sent"].value == 1
