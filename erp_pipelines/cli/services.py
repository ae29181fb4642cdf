"""Commands that run services: migrate, up, twins, demo."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from erp_pipelines.cli.context import database_url
from erp_pipelines.cli.stack import Stack
from erp_pipelines.server import postgres
from erp_pipelines.server.supervisor import Event, Supervisor
from erp_pipelines.settings import Settings
from erp_pipelines.storage import migrations
from erp_pipelines.storage.engine import Database


def migrate(
    back_to: Annotated[str, typer.Option(help="Down to this revision instead, with every service stopped.")] = "",
) -> None:
    """Bring the database to the newest schema."""
    settings = Settings.from_env()
    with database_url(settings) as url:
        opened = Database.connect(url)
        before, after = migrations.downgrade(opened, back_to) if back_to else migrations.upgrade(opened)
        opened.dispose()
    typer.echo(f"at {after} already" if before == after else f"migrated from {before or 'nothing'} to {after}")


@contextmanager
def databases(settings: Settings) -> Iterator[tuple[str, str]]:
    """The URLs of the product's and of Dagster's database, the first one migrated; embedded where none are set."""
    ours = settings.database_url.get_secret_value() if settings.database_url else None
    theirs = settings.dagster_database_url.get_secret_value() if settings.dagster_database_url else None
    if ours and theirs:
        _migrate(ours)
        yield ours, theirs
        return
    with postgres.running(settings.data_dir) as server:
        ours, theirs = ours or server.url("erp"), theirs or server.url("dagster")
        _migrate(ours)
        yield ours, theirs


def _migrate(url: str) -> None:
    opened = Database.connect(url)
    migrations.upgrade(opened)
    opened.dispose()


def show(event: Event) -> None:
    """One line for each service that is up or gone."""
    if event.kind == "ready":
        typer.echo(f"  {event.service:15} ready after {event.seconds:.1f} s")
    elif event.kind == "failed":
        typer.echo(f"  {event.service:15} failed: {event.detail}", err=True)


def up() -> None:
    """Web app, Dagster and, unless one is configured, a database: the product without twins or demo data."""
    settings = Settings.from_env()
    settings.require_encryption_keys()
    with databases(settings) as (ours, theirs):
        stack = Stack(settings, ours, theirs)
        with Supervisor(stack.services(), log_dir=settings.data_dir / "logs", on_event=show) as supervisor:
            supervisor.start()
            typer.echo(
                f"web app {settings.public_url}  ·  Dagster http://localhost:{settings.dagster_port}  ·  Ctrl-C stops"
            )
            wait_for_ctrl_c(supervisor)


def wait_for_ctrl_c(supervisor: Supervisor) -> None:
    """Until Ctrl-C; raises ServiceFailed when a service ends by itself."""
    try:
        while True:
            supervisor.check()
            time.sleep(0.5)
    except KeyboardInterrupt:
        typer.echo("\nstopping ...")


def twins(
    quickbooks_port: Annotated[int, typer.Option(help="Where the QuickBooks twin listens.")] = 8101,
    netsuite_port: Annotated[int, typer.Option(help="Where the NetSuite twin listens.")] = 8102,
) -> None:
    """The twins alone, until Ctrl-C. They are programs of their own, which know nothing of the product."""
    ports = {"quickbooks": quickbooks_port, "netsuite": netsuite_port}
    command = [sys.executable, "-m", "erp_twins", *(f"--{name}-port={port}" for name, port in ports.items())]
    raise typer.Exit(subprocess.run(command, env=os.environ.copy(), check=False).returncode)  # noqa: S603


def demo(
    exit_: Annotated[bool, typer.Option("--exit", help="Check the end state, stop, and exit 0 or 1.")] = False,
) -> None:
    """Everything on this machine: an order becomes a document in each ERP's twin, and its payment comes back."""
    from erp_pipelines.cli.demo import story

    raise typer.Exit(story.run(stop_at_the_end=exit_))
