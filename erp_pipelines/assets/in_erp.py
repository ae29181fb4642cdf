"""The assets: materializing one brings all records of its kind up to date in the connection's ERP.

So Dagster's backfill is the bulk sync. Thin: the work is `bulk_sync`'s.
"""

import warnings
from collections.abc import Mapping, Sequence

import dagster as dg

from erp_pipelines.assets.bulk_sync import Synced, bring_up_to_date
from erp_pipelines.assets.kinds import CUSTOMERS, ENTITIES, ORDERS, PAYMENTS, PRODUCTS
from erp_pipelines.assets.metadata import Metadata, metadata_of
from erp_pipelines.assets.recorder import Recorder
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.partitions import CONNECTIONS
from erp_pipelines.resources.liveness import alive
from erp_pipelines.resources.runtime import RuntimeParam, RuntimeResource

GROUP = "erp"
CONNECTIONS_OF_ONE_RUN = 50


def bulk_asset(
    key: dg.AssetKey, entity: str, *, description: str, deps: Sequence[dg.AssetKey] = ()
) -> dg.AssetsDefinition:
    """An asset whose materialization is the bulk sync of one kind of record."""

    def in_erp(context: dg.AssetExecutionContext, runtime: RuntimeParam) -> None:
        bring_in(context, runtime, key, ENTITIES[entity])

    with warnings.catch_warnings():  # backfill policies are in beta; the version is pinned
        warnings.simplefilter("ignore", dg.BetaWarning)
        return dg.asset(
            key=key,
            deps=deps,
            description=description,
            partitions_def=CONNECTIONS,
            backfill_policy=dg.BackfillPolicy.multi_run(CONNECTIONS_OF_ONE_RUN),
            group_name=GROUP,
        )(in_erp)


def bring_in(
    context: dg.AssetExecutionContext, resource: RuntimeResource, asset: dg.AssetKey, entity_type: str
) -> None:
    """The partitions of this run, one after the other; one that cannot be served doesn't hold up the others."""
    runtime, done = resource.of_run(context.run.run_id), list[Synced]()
    recorder = Recorder(context.op_execution_context, runtime, without=asset)
    with alive(runtime, context.instance, context.run):
        for partition in context.partition_keys:
            connection = ConnectionKey.parse(partition)
            by = f"dagster run {context.run.run_id}"
            done.append(bring_up_to_date(runtime, connection, asset, entity_type, by=by, record=recorder.record))
    _conclude(context, asset, done, runtime.requests_per_minute)


def _conclude(
    context: dg.AssetExecutionContext, asset: dg.AssetKey, done: Sequence[Synced], ceilings: Mapping[str, float]
) -> None:
    """Say how each partition ended. One that was stopped is not materialized: what it promises isn't there."""
    stopped = [synced for synced in done if synced.stopped]
    for synced in done:
        metadata = _metadata(synced, ceilings.get(synced.key.provider))
        if not stopped:
            context.add_asset_metadata(metadata, partition_key=str(synced.key))
        elif not synced.stopped:  # the step fails below, so Dagster won't say it for us
            context.log_event(dg.AssetMaterialization(asset, partition=str(synced.key), metadata=metadata))
    if stopped:
        raise dg.Failure(
            description="\n".join(f"{synced.key}: {synced.stopped}" for synced in stopped), allow_retries=False
        )


def _metadata(synced: Synced, ceiling: float | None) -> Metadata:
    """The report's, and the progress: where another worker did the work, only that one knows the numbers."""
    progress = synced.progress
    return {
        **metadata_of(synced.report, ceiling),
        "sync_id": dg.MetadataValue.text(synced.sync_id),
        "records": dg.MetadataValue.int(progress.total),
        "successful": dg.MetadataValue.int(progress.successful),
        "skipped": dg.MetadataValue.int(progress.skipped),
        "failed": dg.MetadataValue.int(progress.failed),
    }


products_in_erp = bulk_asset(PRODUCTS, "products", description="Every product stands in the ERP as we have it.")
customers_in_erp = bulk_asset(CUSTOMERS, "customers", description="Every customer stands in the ERP as we have it.")
orders_in_erp = bulk_asset(
    ORDERS,
    "orders",
    deps=[PRODUCTS, CUSTOMERS],
    description="Every order that the settings call a document stands in the ERP, its payments with it.",
)
# Recorded by the runs that apply the ERP's notices; there is nothing to materialize by hand.
payments_from_erp = dg.AssetSpec(
    PAYMENTS,
    partitions_def=CONNECTIONS,
    group_name=GROUP,
    deps=[ORDERS],
    description="What the ERP has told us about payments stands in our orders.",
)
ASSETS: Sequence[dg.AssetsDefinition | dg.AssetSpec] = [
    products_in_erp,
    customers_in_erp,
    orders_in_erp,
    payments_from_erp,
]
