"""The checks on `orders_in_erp`, over all connections at once: nothing given up, nothing left waiting.

The numbers are `delivery.due.health`'s. When the checks run stands in `schedules`.
"""

from collections.abc import Callable, Sequence

import dagster as dg

from erp_pipelines.assets.kinds import ORDERS
from erp_pipelines.delivery import due
from erp_pipelines.delivery.due import Health
from erp_pipelines.resources.runtime import RuntimeParam

LONGEST_WAIT_SECONDS = 15 * 60
MOST_ROWS = 100
_COLUMNS = dg.TableSchema(
    columns=[
        dg.TableColumn("connection"),
        dg.TableColumn("state"),
        dg.TableColumn("due", "int"),
        dg.TableColumn("oldest_due_seconds", "float"),
        dg.TableColumn("failed", "int"),
        dg.TableColumn("abandoned", "int"),
    ]
)


@dg.asset_check(asset=ORDERS, description="No event was given up: each of them needs a person's mend and retry.")
def no_dead_letters(runtime: RuntimeParam) -> dg.AssetCheckResult:
    return _result(due.health(runtime.runtime()), has_dead_letters, "events were given up")


@dg.asset_check(asset=ORDERS, description="Nothing due has waited longer than a quarter of an hour.")
def nothing_left_waiting(runtime: RuntimeParam) -> dg.AssetCheckResult:
    return _result(due.health(runtime.runtime()), waits_too_long, "due events have waited too long")


def has_dead_letters(health: Health) -> bool:
    return health.abandoned > 0


def waits_too_long(health: Health) -> bool:
    return (health.oldest_due_seconds or 0) >= LONGEST_WAIT_SECONDS


def _result(fleet: Sequence[Health], is_bad: Callable[[Health], bool], what: str) -> dg.AssetCheckResult:
    bad = [health for health in fleet if is_bad(health)]
    metadata: dict[str, dg.MetadataValue] = {
        "connections": dg.MetadataValue.int(len(fleet)),
        "affected": dg.MetadataValue.int(len(bad)),
    }
    if bad:
        metadata["which"] = dg.MetadataValue.table([_row(health) for health in bad[:MOST_ROWS]], schema=_COLUMNS)
    return dg.AssetCheckResult(
        passed=not bad,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata=metadata,
        description=f"{len(bad)} of {len(fleet)} connections: {what}." if bad else "All is well.",
    )


def _row(health: Health) -> dg.TableRecord:
    return dg.TableRecord({
        "connection": str(health.key), "state": health.state, "due": health.due,
        "oldest_due_seconds": health.oldest_due_seconds, "failed": health.failed, "abandoned": health.abandoned,
    })  # fmt: skip


CHECKS = [no_dead_letters, nothing_left_waiting]
