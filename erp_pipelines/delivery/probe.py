"""Would a connection work if it were needed now? Its grant is kept alive, and its company asked when nobody else has."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import structlog

from erp_pipelines.access import health
from erp_pipelines.access.health import Warned
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.delivery import budget, job
from erp_pipelines.delivery.job import Job
from erp_pipelines.delivery.reports import Tally
from erp_pipelines.domain.connections import ConnectionKey, ConnectionState
from erp_pipelines.domain.errors import ConnectionLost, ErpError, Misconfigured, Rejected, Throttled, TokenRejected
from erp_pipelines.domain.outcomes import Explained, explain
from erp_pipelines.storage import alerts, connections, pacing
from erp_pipelines.storage.connections import ConnectionRow
from erp_pipelines.storage.due import LOCK_PREFIX

log = structlog.get_logger("erp.delivery")
# A company that has answered within this is not asked again: once a day, whatever the hour of the passes.
QUIET = dt.timedelta(hours=20)
# Nothing of these passes by itself.
FOR_A_PERSON = (ConnectionLost, TokenRejected, Rejected, Misconfigured)


@dataclass(frozen=True)
class Probe:
    """How a connection stands after it was looked at, and what came of the look.

    `trouble` is what stands in the way of a delivery; `lasting`: it does not pass by itself.
    """

    row: ConnectionRow
    said: str
    renewed: bool = False
    trouble: Explained | None = None
    lasting: bool = False
    warnings: tuple[Warned, ...] = ()

    @property
    def broken(self) -> bool:
        """Parked: nothing is sent until somebody has connected it again."""
        return self.row.state is ConnectionState.RECONNECT_NEEDED

    @property
    def needs_person(self) -> bool:
        return self.broken or self.lasting or bool(self.warnings)

    @property
    def summary(self) -> str:
        return f"renewed, {self.said}" if self.renewed else self.said

    @property
    def reasons(self) -> tuple[Explained, ...]:
        """What a person should read, with the mends."""
        why = (
            Explained(self.row.state_reason or str(self.row.state), "reconnect-needed", "")
            if self.broken
            else self.trouble
        )
        return (*((why,) if why else ()), *(warned.why for warned in self.warnings))


def probe(
    runtime: Runtime, key: ConnectionKey, *, idle: dt.timedelta = health.IDLE, quiet: dt.timedelta = QUIET
) -> Probe:
    """Look at one connection: renew its grant if that is older than `idle`, read its company if it was silent for `quiet`.

    What the company answers is acted on as in a delivery: a grant that is gone parks the connection and alerts, a
    throttle pauses it. An end that comes closer is warned of once per threshold. Raises NotFound for a connection that
    was never made, DatabaseDown and LockLost when PostgreSQL goes away.
    """
    row = _row(runtime, key)
    if row.state is not ConnectionState.CONNECTED:
        return Probe(row, "not asked")
    if key.provider not in runtime.connectors:
        return Probe(row, "not set up on this machine")
    found = _looked_at(runtime, row, idle, quiet)
    health.warn(runtime, key)
    row = _row(runtime, key)
    return replace(
        found, row=row, warnings=health.warnings(row, runtime.display_name(key.provider), runtime.clock.now())
    )


def _row(runtime: Runtime, key: ConnectionKey) -> ConnectionRow:
    with runtime.db.tenant(key.tenant_id) as conn:
        return connections.get(conn, key)


def _looked_at(runtime: Runtime, row: ConnectionRow, idle: dt.timedelta, quiet: dt.timedelta) -> Probe:
    renewed = False
    try:
        renewed = health.keep_alive(runtime, row, idle)
        said = _not_worth_a_read(runtime, row, quiet) or _asked(runtime, row.key)
    except ErpError as error:
        why = explain(error)
        log.warning("probe met trouble", connection=str(row.key), cause=why.cause, reason=why.message)
        return Probe(row, why.cause, renewed, why, isinstance(error, FOR_A_PERSON))
    return Probe(row, said, renewed)


def _not_worth_a_read(runtime: Runtime, row: ConnectionRow, quiet: dt.timedelta) -> str:
    """Why the company need not be asked; empty when it is to be."""
    now = runtime.clock.now()
    with runtime.db.tenant(row.tenant_id) as conn:
        if pacing.heard_since(conn, row.id, now - quiet):
            return "has answered lately"
        return "its reads of this month are spent" if budget.spent(conn, row, now) else ""


def _asked(runtime: Runtime, key: ConnectionKey) -> str:
    """Like a worker: under the connection's lock and at its pace. Whoever holds the lock speaks to the company anyway."""
    with runtime.db.worker(LOCK_PREFIX + str(key)) as session:
        if session is None:
            return "a worker is on it"
        tally = Tally(key)
        held = job.start(runtime, session, key, tally)
        if held is None:
            return tally.parked or ""
        try:
            held.erp.company_name()
        except ErpError as error:
            _hold(held, error)
            raise
        finally:
            budget.count(held)
    return "answers"


def _hold(held: Job, error: ErpError) -> None:
    """What the answer means for the connection as a whole."""
    with held.transaction() as conn:
        if isinstance(error, (ConnectionLost, TokenRejected)):
            if connections.park(conn, held.row.id, str(error)):  # else the token source has parked it, and told of it
                alerts.raise_alert(conn, held.key, explain(error))
        elif isinstance(error, Throttled):
            connections.pause(conn, held.row.id, held.now() + dt.timedelta(seconds=error.retry_after))
