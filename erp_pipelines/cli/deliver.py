"""Commands that work on what is due: deliver, sync, status."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.cli.context import database, runtime
from erp_pipelines.delivery import bulk, due, preflight, worker
from erp_pipelines.delivery.preflight import Preflight
from erp_pipelines.delivery.reports import Report
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import DatabaseDown, LockLost
from erp_pipelines.domain.events import EntityType
from erp_pipelines.storage import due as stored_due

KINDS = {"customers": EntityType.CUSTOMER, "products": EntityType.PRODUCT, "orders": EntityType.ORDER}
# How long a pass that empties the queues waits for what comes due soon: a pause, a retry, a doubt that time has to settle.
PATIENCE_SECONDS = 150


def deliver(
    connection: Annotated[str | None, typer.Option(help="Only this connection, e.g. acme:quickbooks.")] = None,
    until_empty: Annotated[
        bool, typer.Option("--until-empty", help="Go on until nothing waits, short pauses and first retries included.")
    ] = False,
) -> None:
    """Drain due outbox events and inbox notices in this process, without Dagster: the same engine, the same locks."""
    only = ConnectionKey.parse(connection) if connection else None
    done = Done()
    with runtime() as parts:
        if until_empty:
            _until_empty(parts, only, done)
        else:
            _drain(parts, only, done)
    _show_totals(done.totals, time.monotonic() - done.began)
    raise typer.Exit(1 if done.failed or any(done.waits.values()) else 0)


@dataclass
class Done:
    """What a pass has done so far. `waits`: why the last look at a connection had to leave the rest."""

    began: float = field(default_factory=time.monotonic)
    totals: Counter[str] = field(default_factory=Counter)
    waits: dict[ConnectionKey, str | None] = field(default_factory=dict)
    failed: bool = False

    def add(self, report: Report) -> None:
        show(report)
        self.waits[report.key] = report.parked
        self.totals.update({**report.counts, "reads": report.reads, "writes": report.writes})
        self.failed = self.failed or any(failure.status == "Abandoned" for failure in report.failures)


def _drain(parts: Runtime, only: ConnectionKey | None, done: Done) -> None:
    while keys := _due(parts, only):
        for key in keys:
            done.add(worker.serve(parts, key))


def _until_empty(parts: Runtime, only: ConnectionKey | None, done: Done) -> None:
    """Raises DatabaseDown or LockLost when PostgreSQL's trouble outlasts our patience."""
    patience = Patience()
    while True:
        try:
            _drain(parts, only, done)
            patience = Patience()
            if not _wait(parts, only):
                return
        except (DatabaseDown, LockLost) as trouble:
            patience.sit_out(trouble)


@dataclass
class Patience:
    """Waits out trouble that PostgreSQL is in; what was under way is taken over by the next worker."""

    ends: float = 0
    pause: float = 0.25

    def sit_out(self, trouble: DatabaseDown | LockLost) -> None:
        """Return when it is time to try again; raise the trouble when it has lasted too long."""
        now = time.monotonic()
        if not self.ends:
            typer.echo(f"erp: {trouble} It is tried again for {PATIENCE_SECONDS} s.", err=True)
            self.ends = now + PATIENCE_SECONDS
        if now >= self.ends:
            raise trouble
        time.sleep(self.pause)
        self.pause = min(2 * self.pause, 5)


def _due(parts: Runtime, only: ConnectionKey | None) -> list[ConnectionKey]:
    keys = due.connections(parts)
    return [key for key in keys if only in (None, key)]


def _wait(parts: Runtime, only: ConnectionKey | None) -> bool:
    """Whether something that is under way or waits for its time came due; False when nothing waits."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while _waiting(parts, only) and time.monotonic() < ends:
        if due.wait(parts, 5, key=only) and _due(parts, only):
            return True
        time.sleep(0.5)  # what is due may be in another worker's hands
    return False


def _waiting(parts: Runtime, only: ConnectionKey | None) -> bool:
    states = due.health(parts, only.tenant_id if only else None)
    mine = [state for state in states if only in (None, state.key) and state.state == "Connected"]
    return any(state.waiting + state.failed + state.notices for state in mine)


def show(report: Report) -> None:
    if report.busy:
        typer.echo(f"{report.key}: another worker is on it")
        return
    counts = " · ".join(f"{name} {count}" for name, count in sorted(report.counts.items())) or "nothing due"
    typer.echo(f"{report.key}: {counts} · {report.writes} writes, {report.reads} reads · {report.seconds:.1f} s")
    for failure in report.failures:
        typer.echo(
            f"  {failure.status}: {failure.entity_type} {failure.entity_id}: {failure.message} {failure.mend}".rstrip(),
            err=True,
        )
    if report.parked:
        typer.echo(f"  {report.key} waits: {report.parked}", err=True)


def _show_totals(totals: Counter[str], seconds: float) -> None:
    calls = f"{totals.pop('writes', 0)} writes, {totals.pop('reads', 0)} reads"
    counts = " · ".join(f"{name} {count}" for name, count in sorted(totals.items())) or "nothing was due"
    typer.echo(f"all: {counts} · {calls} · {seconds:.1f} s")


def sync(
    provider: Annotated[str, typer.Argument(help="quickbooks or netsuite")],
    tenant: Annotated[str, typer.Option(help="The tenant's id.")],
    entities: Annotated[str, typer.Option(help="Comma-separated.")] = "customers,products,orders",
    check: Annotated[
        bool, typer.Option("--check", help="Only say what would fail; nothing is queued or sent.")
    ] = False,
) -> None:
    """Queue a bulk sync; workers do it, `erp deliver` or Dagster's. What stands there unchanged costs no call."""
    names = [name.strip() for name in entities.split(",") if name.strip()]
    unknown = [name for name in names if name not in KINDS]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is none of {', '.join(KINDS)}", param_hint="--entities")
    key = ConnectionKey(tenant, provider)
    with runtime() as parts:
        if check:
            _show_check(key, preflight.preflight(parts, key, [KINDS[name] for name in names]))
            return
        sync_id = bulk.request(parts, key, [KINDS[name] for name in names], by="command line")
        progress = bulk.progress(parts, key, sync_id)
    typer.echo(f"{key}: sync {sync_id} queued, {progress.total} records")


def _show_check(key: ConnectionKey, found: Preflight) -> None:
    """Exit code 1 when something would fail."""
    typer.echo(
        f"{key}: {found.total} records: {found.to_send} to send with what they require, {found.unchanged} unchanged, "
        f"{found.skipped} not wanted; {found.failing} would fail"
    )
    for problem in found.problems:
        who = (
            f"{problem.count} x {problem.entity_type} ({', '.join(problem.entity_ids)})"
            if problem.entity_type
            else "all"
        )
        typer.echo(f"  {problem.why.cause}, {who}: {problem.why.message} {problem.why.mend}".rstrip(), err=True)
    if found.problems:
        raise typer.Exit(1)


def status(tenant: Annotated[str | None, typer.Option(help="Only this tenant.")] = None) -> None:
    """Queue depth, oldest age, failures and state per connection."""
    with database() as opened:
        scope = opened.tenant(tenant) if tenant else opened.system()
        with scope as conn:
            rows = stored_due.health(conn, now=dt.datetime.now(dt.UTC), tenant_id=tenant)
    if not rows:
        typer.echo("There is no connection yet.")
        return
    console = Console()
    # A pipe has no width of its own; what reads it wants whole words.
    Console(width=console.width if console.is_terminal else 220).print(_table(rows))


def _table(rows: list[stored_due.Health]) -> Table:
    table = Table(
        "connection",
        "company",
        "state",
        "due",
        "oldest",
        "waiting",
        "failed",
        "in doubt",
        "abandoned",
        "notices",
        "last sync",
    )
    for row in rows:
        state = f"{row.state}: {row.state_reason}" if row.state_reason else row.state
        oldest = f"{row.oldest_due_seconds:.0f} s" if row.oldest_due_seconds is not None else "-"
        numbers = [str(number) for number in (row.waiting, row.failed, row.in_doubt, row.abandoned, row.notices)]
        last = f"{row.last_sync_at:%Y-%m-%d %H:%M:%S}" if row.last_sync_at else "never"
        table.add_row(str(row.key), row.company_name or "", state, str(row.due), oldest, *numbers, last)
    return table
