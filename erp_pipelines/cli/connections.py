"""Commands on connections: would each of them work if it were needed now?"""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from erp_pipelines.access import health
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.cli.context import runtime
from erp_pipelines.delivery import probe
from erp_pipelines.delivery.probe import Probe
from erp_pipelines.domain.connections import ConnectionKey

WITHOUT_TERMINAL = 200


def check(
    connection: Annotated[str | None, typer.Option(help="Only this connection, e.g. acme:quickbooks.")] = None,
) -> None:
    """Renew each grant that nobody used for a week, ask each company that was silent for a day, show when access ends.

    Exit code 1: one of them needs a person.
    """
    only = ConnectionKey.parse(connection) if connection else None
    with runtime() as parts:
        probes = [probe.probe(parts, key) for key in ([only] if only else _all(parts))]
    if not probes:
        typer.echo("There is no connection yet.")
        return
    console = Console()
    # A pipe has no width of its own; what reads it wants whole words.
    Console(width=console.width if console.is_terminal else WITHOUT_TERMINAL).print(_table(probes))
    for one in probes:
        for why in one.reasons:
            typer.echo(f"{one.row.key}: {why.message} {why.mend}".rstrip(), err=True)
    raise typer.Exit(1 if any(one.needs_person for one in probes) else 0)


def _all(parts: Runtime) -> list[ConnectionKey]:
    return [standing.row.key for standing in health.standings(parts)]


def _table(probes: list[Probe]) -> Table:
    table = Table("connection", "company", "state", "last renewed", "ends if unused", "ends for good", "probe")
    for one in probes:
        row = one.row
        moments = (row.tokens_refreshed_at, row.refresh_token_expires_at, row.grant_ends_at)
        table.add_row(str(row.key), row.company_name or "", str(row.state), *map(_day, moments), one.summary)
    return table


def _day(moment: dt.datetime | None) -> str:
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d}" if moment else "-"
