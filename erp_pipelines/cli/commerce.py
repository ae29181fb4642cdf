"""Commands for the shop's own data: import, export, tenants, payments."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from erp_pipelines.cli.context import database
from erp_pipelines.commerce import exports, imports, paying, tenants
from erp_pipelines.commerce.imports import Imported

Tenant = Annotated[str, typer.Option("--tenant", help="The tenant's id.")]
# So many reasons are shown; the file of rejected rows has them all.
SHOWN = 10


def import_(
    kind: Annotated[Literal["customers", "products", "orders"], typer.Argument(help="What the file holds.")],
    file: Annotated[Path, typer.Argument(help="A CSV file, or JSON (.json, .jsonl) of canonical records.")],
    tenant: Tenant,
    map_: Annotated[Path | None, typer.Option("--map", help="YAML that names the file's columns.")] = None,
    lines: Annotated[Path | None, typer.Option(help="For orders in CSV: the file of their lines.")] = None,
) -> None:
    """Import customers, products or orders from CSV or JSON. Bad rows go to FILE.rejected.csv, good ones are kept."""
    with database() as opened:
        result = imports.run(opened, tenant, kind, file, map_file=map_, lines=lines)
    rejected = f"rejected {len(result.rejected)}"
    if result.lines_rejected:
        rejected += f" (and {len(result.lines_rejected)} order lines)"
    typer.echo(f"imported {result.imported} · unchanged {result.unchanged} · {rejected}")
    if result.lines_left_over:
        left, first = len(result.lines_left_over), result.lines_left_over[0]
        typer.echo(
            f"note: {left} order lines belong to no order of {file.name}; the first stands in line {first}", err=True
        )
    if not result.complete:
        _show_rejections(result, file, lines)
        raise typer.Exit(1)


def _show_rejections(result: Imported, file: Path, lines: Path | None) -> None:
    for rejection in result.rejected[:SHOWN]:
        typer.echo(f"line {rejection.line}: {rejection.reason}", err=True)
    for rejection in result.lines_rejected[:SHOWN] if lines and not result.rejected else ():
        typer.echo(f"line {rejection.line} of {lines.name if lines else ''}: {rejection.reason}", err=True)
    written = " and ".join(str(path) for path in result.rejects_files)
    elsewhere = {path.parent for path in result.rejects_files} - {file.parent, lines.parent if lines else file.parent}
    why = " (beside the file nothing may be written)" if elsewhere else ""
    typer.echo(
        f"erp: not everything was taken; the rejected rows are in {written}{why}. Correct them and import again.",
        err=True,
    )


def export(
    kind: Annotated[
        Literal["customers", "products", "orders", "order-lines", "logs", "mappings"], typer.Argument(help="What.")
    ],
    tenant: Tenant,
    form: Annotated[Literal["csv", "json"], typer.Option("--format", help="csv or json.")] = "csv",
) -> None:
    """Write all of a kind to standard output. The CSV of orders has no lines: those are order-lines."""
    with database() as opened:
        exports.write(opened, tenant, kind, form, sys.stdout)


def tenants_add(
    tenant_id: Annotated[str, typer.Argument(metavar="ID", help="Lower-case letters, digits, - and _.")],
    name: Annotated[str, typer.Option(help="The distributor's name.")],
) -> None:
    """Make a tenant; the same one again is no error."""
    with database() as opened, opened.tenant(tenant_id) as conn:
        created = tenants.add(conn, tenant_id, name)
    typer.echo(f"tenant {tenant_id} {'added' if created else 'stands there already'}")


def orders_pay(
    tenant: Tenant,
    order_ids: Annotated[list[str] | None, typer.Argument(metavar="[ORDER_ID]...", help="The orders' ids.")] = None,
    all_unpaid: Annotated[
        bool, typer.Option("--all-unpaid", help="All confirmed and fulfilled orders that await money.")
    ] = False,
    date: Annotated[
        dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day of the payment; default: today, UTC.")
    ] = None,
) -> None:
    """Mark orders paid: records a payment of each open balance."""
    if bool(order_ids) == all_unpaid:
        raise typer.BadParameter("name the orders, or give --all-unpaid", param_hint="ORDER_ID")
    day = (date or dt.datetime.now(dt.UTC)).date()
    with database() as opened:
        result = paying.pay_orders(opened, tenant, order_ids or paying.open_orders(opened, tenant), date=day)
    typer.echo(f"paid {result.paid} · unchanged {result.unchanged} · failed {len(result.failed)}")
    for _, reason in result.failed:
        typer.echo(f"erp: {reason}", err=True)
    if result.failed:
        raise typer.Exit(1)
