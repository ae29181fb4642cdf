"""Commands about alerts."""

from __future__ import annotations

import typer

from erp_pipelines.cli.context import runtime
from erp_pipelines.delivery import alerts


def alerts_test() -> None:
    """Send a test message to every channel of ERP_ALERT_URLS. Exit code 1 when one did not take it."""
    with runtime() as parts:
        taken = alerts.test(parts)
    if not taken:
        typer.echo("erp: No channel is set. Set ERP_ALERT_URLS; until then alerts stand in the log.", err=True)
        raise typer.Exit(1)
    for name, took in taken.items():
        typer.echo(f"{name}: {'taken' if took else 'NOT taken'}")
    raise typer.Exit(0 if all(taken.values()) else 1)
