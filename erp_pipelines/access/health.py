"""The health of grants: kept alive while nobody uses them, and a person told before one ends."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import structlog

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.access.tokens import StoredTokenSource
from erp_pipelines.domain.connections import ConnectionKey, ConnectionState
from erp_pipelines.domain.grants import End, near_ends
from erp_pipelines.domain.outcomes import Explained
from erp_pipelines.storage import alerts, connections
from erp_pipelines.storage.connections import ConnectionRow

log = structlog.get_logger("erp.access")
# QuickBooks ends a grant that nobody has renewed for a hundred days; so a token host may be away for three months.
IDLE = dt.timedelta(days=7)


@dataclass(frozen=True)
class Warned:
    """An end that comes closer, within `days` (30, 7 or 1), and what a person can do about it."""

    ends_at: dt.datetime
    days: int
    why: Explained


@dataclass(frozen=True)
class Standing:
    """A connection, and what a person must know of its grant."""

    row: ConnectionRow
    warnings: tuple[Warned, ...]

    @property
    def broken(self) -> bool:
        return self.row.state is ConnectionState.RECONNECT_NEEDED


def warnings(row: ConnectionRow, name: str, now: dt.datetime) -> tuple[Warned, ...]:
    """The ends of a connected one's grant that come closer, the nearest first; `name` is the provider's. Pure."""
    if row.state is not ConnectionState.CONNECTED:
        return ()
    ends = near_ends(row.refresh_token_expires_at, row.grant_ends_at, now)
    return tuple(Warned(end.at, end.threshold(now) or 0, _explained(end, row, name)) for end in ends)


def standings(runtime: Runtime) -> list[Standing]:
    """Every connection of every tenant that is connected, or was until it broke. Asks nobody but the database."""
    now = runtime.clock.now()
    with runtime.db.system() as conn:
        rows = connections.held(conn)
    return [Standing(row, warnings(row, runtime.display_name(row.provider), now)) for row in rows]


def keep_alive(runtime: Runtime, row: ConnectionRow, idle: dt.timedelta = IDLE) -> bool:
    """Renew the grant unless that was done within `idle`; whether it has been. In single flight with every other renewal.

    Raises what `StoredTokenSource.access_token` raises; a grant that is refused parks the connection, with an alert.
    """
    connector = runtime.connector(row.provider)
    if connector.oauth is None and connector.credentials is None:  # no grant, none to keep
        return False
    return StoredTokenSource(runtime, row.key, row.id).keep_alive(runtime.clock.now() - idle)


def warn(runtime: Runtime, key: ConnectionKey) -> Warned | None:
    """Write an alert when the nearest end has come within another of the thresholds; the warning, if there was one."""
    with runtime.db.tenant(key.tenant_id) as conn:
        row = connections.get(conn, key, for_update=True)
        nearest = next(iter(warnings(row, runtime.display_name(key.provider), runtime.clock.now())), None)
        days = nearest.days if nearest else None
        if days == row.warned_days:
            return None
        connections.warned(conn, row.id, days)
        if nearest:
            alerts.raise_alert(conn, key, nearest.why)
            log.warning("alert: grant ends soon", connection=str(key), ends=nearest.ends_at, cause=nearest.why.cause)
    return nearest


def _explained(end: End, row: ConnectionRow, name: str) -> Explained:
    if end.final:
        return Explained(
            f"The access that {name} has granted ends for good at {_minute(end.at)} UTC, however often it is renewed.",
            "consent-ends-soon",
            f"Connect {name} again before then; nothing is lost by doing it early.",
        )
    since = (
        f" The last renewal that came through was at {_minute(row.tokens_refreshed_at)} UTC."
        if row.tokens_refreshed_at
        else ""
    )
    return Explained(
        f"{name} will have ended this connection at {_minute(end.at)} UTC unless it is renewed before then.{since}",
        "token-ends-soon",
        f"`erp connections check` renews it, or says what stands in the way; connecting {name} again helps too.",
    )


def _minute(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M}"
