"""The `erp` command. Exit codes: 0 done, 1 something failed (one line on stderr: what, and what to do), 2 usage."""

from __future__ import annotations

import logging
import sys

import typer

from erp_pipelines.cli import alerts, commerce, connections, deliver, keys, match, pull, retention, services
from erp_pipelines.domain.errors import PipelineError
from erp_pipelines.security import logs
from erp_pipelines.server.errors import ServerError

app = typer.Typer(
    name="erp",
    help="Joins a web shop with QuickBooks Online and NetSuite.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
tenants = typer.Typer(help="Tenants.", no_args_is_help=True)
orders = typer.Typer(help="Orders.", no_args_is_help=True)
linked = typer.Typer(help="Connections to ERPs.", no_args_is_help=True)
ring = typer.Typer(help="The key ring that stored secrets are encrypted with.", no_args_is_help=True)
alert_channels = typer.Typer(help="How people are told of trouble.", no_args_is_help=True)

app.command("demo")(services.demo)
app.command("up")(services.up)
app.command("migrate")(services.migrate)
app.command("twins")(services.twins)
app.command("import")(commerce.import_)
app.command("export")(commerce.export)
app.command("match")(match.match)
app.command("sync")(deliver.sync)
app.command("deliver")(deliver.deliver)
app.command("pull")(pull.pull)
app.command("retention")(retention.retention)
app.command("status")(deliver.status)
app.command("token")(keys.token)
tenants.command("add")(commerce.tenants_add)
orders.command("pay")(commerce.orders_pay)
linked.command("check")(connections.check)
ring.command("new")(keys.keys_new)
ring.command("rotate")(keys.keys_rotate)
alert_channels.command("test")(alerts.alerts_test)
app.add_typer(alert_channels, name="alerts")
app.add_typer(tenants, name="tenants")
app.add_typer(orders, name="orders")
app.add_typer(linked, name="connections")
app.add_typer(ring, name="keys")


def main() -> None:
    """Entry point of the console script."""
    logs.configure(plain=True, level=logging.WARNING)
    try:
        app()
    except (PipelineError, ServerError) as error:
        typer.echo(f"erp: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
