"""The asset of what changed in the ERP: materializing it is one incremental pull. Thin: the work is `delivery.pull`'s."""

import warnings

import dagster as dg

from erp_pipelines.assets.kinds import CHANGES
from erp_pipelines.assets.metadata import metadata_of
from erp_pipelines.assets.recorder import Recorder
from erp_pipelines.delivery import pull
from erp_pipelines.delivery.reports import Report
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.partitions import CONNECTIONS
from erp_pipelines.resources.liveness import alive
from erp_pipelines.resources.runtime import RuntimeParam

CONNECTIONS_OF_ONE_RUN = 50
BUSY = "another worker held the connection for too long"


def changes_from_erp(context: dg.AssetExecutionContext, runtime: RuntimeParam) -> None:
    """The partitions of this run, one after the other; one that cannot be asked doesn't hold up the others."""
    engine, stopped = runtime.of_run(context.run.run_id), list[str]()
    recorder = Recorder(context.op_execution_context, engine, without=CHANGES)
    with alive(engine, context.instance, context.run):
        for partition in context.partition_keys:
            report = pull.pull(engine, ConnectionKey.parse(partition))
            recorder.record(report)
            if why := stopped_by(report):
                stopped.append(why)
            context.add_asset_metadata(
                metadata_of(report, engine.requests_per_minute.get(report.key.provider)), partition_key=partition
            )
    if stopped:
        raise dg.Failure(description="\n".join(stopped), allow_retries=False)


def stopped_by(report: Report) -> str:
    """Why the pull is not complete; empty when it is. What could not be applied yet is tried again by the inbox."""
    failed = [failure.message for failure in report.failures if failure.entity_type == pull.STREAM]
    why = BUSY if report.busy else report.parked or "; ".join(failed)
    return f"{report.key}: {why}" if why else ""


with warnings.catch_warnings():  # backfill policies are in beta; the version is pinned
    warnings.simplefilter("ignore", dg.BetaWarning)
    CHANGES_FROM_ERP = dg.asset(
        key=CHANGES,
        description="What was changed in the ERP since the last look is known here, told of or not.",
        partitions_def=CONNECTIONS,
        backfill_policy=dg.BackfillPolicy.multi_run(CONNECTIONS_OF_ONE_RUN),
        group_name="erp",
    )(changes_from_erp)
