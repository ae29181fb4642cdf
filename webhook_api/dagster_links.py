"""Where Dagster shows what worked: a run, the sensor that asks for runs, an asset's partition."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.domain.connections import ConnectionKey

SENSOR, ASSET = "outbox_sensor", "orders_in_erp"
# The code location of workspace.yaml, with the name that Dagster gives its only repository.
LOCATION = "__repository__@erp_pipelines"


def run(runtime: Runtime, run_id: str | None) -> str | None:
    """None where no run did it, or nobody can see Dagster."""
    return f"{runtime.dagster_url}/runs/{quote(run_id, safe='')}" if run_id and runtime.dagster_url else None


def sensor(runtime: Runtime) -> str | None:
    """The sensor that answers the outbox."""
    return f"{runtime.dagster_url}/locations/{LOCATION}/sensors/{SENSOR}" if runtime.dagster_url else None


def asset(runtime: Runtime, key: ConnectionKey) -> str | None:
    """The connection's partition of its orders."""
    return f"{runtime.dagster_url}/assets/{ASSET}?{urlencode({'partition': key})}" if runtime.dagster_url else None
