"""What has been kept long enough goes."""

from __future__ import annotations

import typer

from erp_pipelines.cli.context import runtime
from erp_pipelines.delivery import retention as retaining


def retention() -> None:
    """Scrub and delete what the ERP_KEEP_..._DAYS settings no longer keep; Dagster does it every night."""
    with runtime() as parts:
        done = retaining.retain(parts)
    typer.echo(" · ".join(f"{name}: {count}" for name, count in done.items()))
