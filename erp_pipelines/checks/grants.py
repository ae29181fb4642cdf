"""The check on `orders_in_erp` that every connection may still speak to its ERP, and will next month.

It asks the database only; what keeps connections alive and alerts is the job `keep_connections`.
"""

from collections.abc import Sequence

import dagster as dg

from erp_pipelines.access import health
from erp_pipelines.access.health import Standing
from erp_pipelines.assets.kinds import ORDERS
from erp_pipelines.resources.runtime import RuntimeParam

MOST_ROWS = 100
_COLUMNS = dg.TableSchema(columns=[dg.TableColumn(name) for name in ("connection", "state", "ends", "reason", "mend")])


@dg.asset_check(asset=ORDERS, description="No connection needs a person, now or within thirty days, to go on.")
def access_lasts(runtime: RuntimeParam) -> dg.AssetCheckResult:
    fleet = health.standings(runtime.runtime())
    broken = [standing for standing in fleet if standing.broken]
    ending = [standing for standing in fleet if standing.warnings]
    return dg.AssetCheckResult(
        passed=not broken and not ending,
        severity=dg.AssetCheckSeverity.ERROR if broken else dg.AssetCheckSeverity.WARN,
        metadata=_metadata(fleet, [*broken, *ending]),
        description=_description(len(broken), len(ending), len(fleet)),
    )


def _metadata(fleet: Sequence[Standing], affected: Sequence[Standing]) -> dict[str, dg.MetadataValue]:
    metadata: dict[str, dg.MetadataValue] = {
        "connections": dg.MetadataValue.int(len(fleet)),
        "affected": dg.MetadataValue.int(len(affected)),
    }
    if affected:
        metadata["which"] = dg.MetadataValue.table([_row(one) for one in affected[:MOST_ROWS]], schema=_COLUMNS)
    return metadata


def _row(standing: Standing) -> dg.TableRecord:
    row = standing.row
    told = {"reason": row.state_reason or "", "mend": "", "ends": ""}
    if standing.warnings:
        nearest = standing.warnings[0]
        told = {"reason": nearest.why.message, "mend": nearest.why.mend, "ends": f"{nearest.ends_at:%Y-%m-%d}"}
    return dg.TableRecord({"connection": str(row.key), "state": str(row.state), **told})


def _description(broken: int, ending: int, fleet: int) -> str:
    if not broken and not ending:
        return "All is well."
    return f"Of {fleet} connections, {broken} must be connected again, and the access of {ending} ends soon."


CHECKS = [access_lasts]
