"""One incremental pull: what changed in the ERPs since the last one."""

from __future__ import annotations

from typing import Annotated

import typer

from erp_pipelines.cli.context import runtime
from erp_pipelines.cli.deliver import show
from erp_pipelines.delivery import due
from erp_pipelines.delivery import pull as pulling
from erp_pipelines.domain.connections import ConnectionKey


def pull(
    connection: Annotated[str | None, typer.Option(help="Only this connection, e.g. acme:quickbooks.")] = None,
) -> None:
    """Ask each ERP what changed since the last pull, and apply it, in this process: the same engine, the same locks.

    Exit code 1: one of them could not be asked, or not everything could be applied.
    """
    with runtime() as parts:
        keys = [ConnectionKey.parse(connection)] if connection else due.active(parts)
        reports = [pulling.pull(parts, key) for key in keys]
    if not reports:
        typer.echo("There is no connection yet.")
    for report in reports:
        show(report)
    raise typer.Exit(1 if any(report.busy or report.parked or report.failures for report in reports) else 0)
