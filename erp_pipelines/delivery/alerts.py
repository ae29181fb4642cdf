"""Telling people of trouble: grouped by cause, soon the first time, then seldom, and once when it is over."""

from __future__ import annotations

import datetime as dt
from urllib.parse import quote

import structlog

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.domain.alerts import Message
from erp_pipelines.storage import alert_groups
from erp_pipelines.storage.alert_groups import Group

log = structlog.get_logger("erp.alerts")

# What fails together is told together: so long after the first alert of a group.
GATHER = dt.timedelta(seconds=60)
# Between one telling of a group and the next, however much is added meanwhile.
SILENCES = (dt.timedelta(hours=1), dt.timedelta(hours=4), dt.timedelta(hours=24))
# After a telling that no channel took.
REPEATS = (dt.timedelta(minutes=1), dt.timedelta(minutes=5), dt.timedelta(minutes=30))
# Trouble is over when nothing was heard of it for so long: a pause ends and begins again, a retry fails once more.
CALM = dt.timedelta(minutes=15)
LEASE = dt.timedelta(minutes=5)
INSTALLATION = "*"


def tell(runtime: Runtime) -> int:
    """Gather what was raised, and tell what is due, at least once; how many messages some channel took."""
    now = runtime.clock.now()
    with runtime.db.system() as conn:
        alert_groups.gather(conn, now=now, first_tell_at=now + GATHER)
        alert_groups.heal(conn, now=now, quiet_since=now - CALM)
        groups = alert_groups.due(conn, now=now, lease=now + LEASE)
    return sum(_tell_one(runtime, group) for group in groups)


def run_failed(runtime: Runtime, job: str, reason: str, run_id: str) -> None:
    """A run failed: PostgreSQL was away, or the program has a fault. Told with others of the same job."""
    now = runtime.clock.now()
    place = (INSTALLATION, "dagster", f"run-failed: {job}"[:200])
    with runtime.db.system() as conn:
        alert_groups.add(conn, place, reason, f"Look up run {run_id} in Dagster.", now=now, first_tell_at=now + GATHER)


def test(runtime: Runtime) -> dict[str, bool]:
    """Send one message to each channel; by its name, whether it was taken."""
    message = Message("erp: a test", "This channel hears of events and connections that need a person.")
    return {channel.name: channel.send(message) for channel in runtime.channels}


def _tell_one(runtime: Runtime, group: Group) -> bool:
    taken = _send(runtime, compose(group, runtime.public_url))
    now = runtime.clock.now()
    with runtime.db.system() as conn:
        if taken:
            alert_groups.told(conn, group, again_at=now + SILENCES[min(group.tellings, len(SILENCES) - 1)])
        else:
            alert_groups.untold(conn, group, again_at=now + REPEATS[min(group.failures, len(REPEATS) - 1)])
    return taken


def _send(runtime: Runtime, message: Message) -> bool:
    """Whether any channel took it. A dead one keeps nobody else from hearing."""
    log.warning("alert", title=message.title, body=message.body)
    taken = {channel.name: channel.send(message) for channel in runtime.channels}
    for name, took in taken.items():
        if not took:
            log.error("an alert channel did not take a message", channel=name)
    return any(taken.values()) or not taken


def compose(group: Group, public_url: str) -> Message:
    """What a person reads: how many, why, whose, and what mends it."""
    place = "erp" if group.tenant_id == INSTALLATION else f"{group.tenant_id}:{group.provider}"
    if group.healed_at:
        over = f"What was told of as {group.cause} is over ({group.total} since {group.opened_at:%Y-%m-%d %H:%M} UTC)."
        return Message(f"[{place}] over: {group.cause}", over)
    more = group.pending - len(group.names)
    names = ", ".join(group.names) + (f" and {more} more" if group.names and more > 0 else "")
    lines = [group.message, f"What to do: {group.mend}" if group.mend else "", names]
    if group.tellings and group.names:
        lines.append(f"{group.pending} new since it was last told, {group.total} in all.")
    lines.append(f"Since {group.opened_at:%Y-%m-%d %H:%M} UTC: {public_url}{_page(group)}")
    counted = group.names or group.tenant_id == INSTALLATION  # a connection that waits is one, however often it says so
    count = f"{group.pending} x " if counted and group.pending > 1 else ""
    return Message(f"[{place}] {count}{group.cause}", "\n".join(line for line in lines if line))


def _page(group: Group) -> str:
    """Where the console shows it, and takes the retry."""
    if group.tenant_id == INSTALLATION:
        return "/console"
    provider = quote(group.provider, safe="")
    pages = {"event": f"errors/{provider}/{quote(group.cause, safe='')}", "notice": f"differences?provider={provider}"}
    return f"/console/{pages.get(group.kind, 'connections')}"
