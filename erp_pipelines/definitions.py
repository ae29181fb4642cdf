"""The code location: everything Dagster is told of, put together. Nothing is defined here.

Loading it needs no environment and no database; both are met by the first run or sensor that works.
"""

import warnings
from collections.abc import Callable

import dagster as dg

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.assets.from_erp import CHANGES_FROM_ERP
from erp_pipelines.assets.in_erp import ASSETS
from erp_pipelines.jobs import JOBS
from erp_pipelines.resources.pace import Pace
from erp_pipelines.resources.runtime import resource_for
from erp_pipelines.schedules import CHECKS, SCHEDULES, check_fleet
from erp_pipelines.sensors.alerts import alert_sensor, run_failures
from erp_pipelines.sensors.connections import connections_sensor
from erp_pipelines.sensors.inbox import inbox_sensor
from erp_pipelines.sensors.outbox import outbox_sensor


def build_defs(
    *,
    runtime_factory: Callable[[], Runtime] | None = None,
    pace: Pace | None = None,
) -> dg.Definitions:
    """A code location. Tests pass a runtime of their own; without one, it is built from the environment on first use."""
    definitions = dg.Definitions(
        assets=[*ASSETS, CHANGES_FROM_ERP],
        asset_checks=CHECKS,
        jobs=[*JOBS, check_fleet],
        schedules=SCHEDULES,
        sensors=[outbox_sensor, inbox_sensor, connections_sensor, alert_sensor, run_failures],
        resources={"runtime": resource_for(runtime_factory, pace)},
        executor=dg.in_process_executor,
    )
    with warnings.catch_warnings():  # Dagster meets beta parameters of its own when it puts the parts together
        warnings.simplefilter("ignore", dg.BetaWarning)
        definitions.get_repository_def()
    return definitions


defs = build_defs()
