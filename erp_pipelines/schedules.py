"""What happens by the clock. Deliveries don't: they are answered by `sensors` the moment they are due."""

import dagster as dg

from erp_pipelines.checks import fleet, grants
from erp_pipelines.delivery import pull
from erp_pipelines.jobs import keep_connections, pull_changes, retain
from erp_pipelines.resources.runtime import RuntimeParam

CHECKS = [*fleet.CHECKS, *grants.CHECKS]

check_fleet = dg.define_asset_job(
    "check_fleet",
    selection=dg.AssetSelection.checks(*CHECKS),
    executor_def=dg.in_process_executor,
    description="Runs the checks over all connections.",
)

check_fleet_schedule = dg.ScheduleDefinition(
    name="check_fleet_every_quarter_hour",
    job=check_fleet,
    cron_schedule="*/15 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)

keep_connections_schedule = dg.ScheduleDefinition(
    name="keep_connections_every_six_hours",
    job=keep_connections,
    cron_schedule="23 */6 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)


retain_schedule = dg.ScheduleDefinition(
    name="retain_every_night",
    job=retain,
    cron_schedule="41 2 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)


@dg.schedule(
    name="pull_changes_when_due",
    job=pull_changes,
    cron_schedule="* * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def pull_changes_schedule(runtime: RuntimeParam) -> dg.RunRequest | dg.SkipReason:
    """A run takes the connections whose own interval has passed, so their pulls spread over it by themselves."""
    if pull.due(runtime.runtime()):
        return dg.RunRequest()
    return dg.SkipReason("No connection is due for a pull.")


SCHEDULES = [check_fleet_schedule, keep_connections_schedule, retain_schedule, pull_changes_schedule]
