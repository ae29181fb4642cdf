"""A worker's hold on one connection: what `outbound` and `inbound` work with."""

from __future__ import annotations

import datetime as dt
import os
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.access.tokens import StoredTokenSource
from erp_pipelines.connectors.base import ConnectionFacts, ErpSession, ExternalRef, Lent
from erp_pipelines.delivery.pacer import StoredPacer
from erp_pipelines.delivery.reports import Tally
from erp_pipelines.domain.connections import ConnectionKey, ConnectionState
from erp_pipelines.storage import connections
from erp_pipelines.storage.connections import ConnectionRow
from erp_pipelines.storage.engine import Connection, WorkerSession

# Longer than the longest call: QuickBooks gives up after 120 s, our client after 130.
LEASE = dt.timedelta(minutes=5)


def owner_name() -> str:
    """Who holds a claim, for people too: host, process, thread and a part that never repeats."""
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}:{uuid.uuid4().hex[:8]}"


@dataclass
class Job:
    """One worker, one connection, one advisory lock."""

    runtime: Runtime
    session: WorkerSession
    row: ConnectionRow
    facts: ConnectionFacts
    erp: ErpSession
    tally: Tally
    owner: str = field(default_factory=owner_name)

    @property
    def key(self) -> ConnectionKey:
        return self.row.key

    def now(self) -> dt.datetime:
        return self.runtime.clock.now()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """On the session that holds the lock; raises LockLost when it is gone."""
        with self.session.tenant(self.key.tenant_id) as conn:
            yield conn

    def url(self, ref: ExternalRef) -> str | None:
        return self.runtime.connector(self.key.provider).document_url(self.facts, ref)


def start(runtime: Runtime, session: WorkerSession, key: ConnectionKey, tally: Tally) -> Job | None:
    """A job on a connection that can be served now; None, with the reason in the tally, when it cannot."""
    with session.tenant(key.tenant_id) as conn:
        row = connections.get(conn, key)
    tally.parked = unservable(row, runtime.clock.now())
    if tally.parked:
        return None
    facts = ConnectionFacts(
        id=row.id, key=key, company_id=row.external_company_id or "", company=row.company, settings=row.settings
    )
    lent = Lent(
        tokens=StoredTokenSource(runtime, key, row.id),
        pacer=StoredPacer(session, runtime.clock, key, row.id, runtime.requests_per_minute.get(key.provider, 60)),
        clock=runtime.clock,
        calls=tally.calls,
        jitter=runtime.jitter,
    )
    return Job(runtime, session, row, facts, runtime.connector(key.provider).session(facts, lent), tally)


def unservable(row: ConnectionRow, now: dt.datetime) -> str | None:
    """Why this connection waits; None when it doesn't."""
    if row.state != ConnectionState.CONNECTED:
        return f"{row.state}: {row.state_reason}" if row.state_reason else str(row.state)
    if row.paused_until and row.paused_until > now:
        return f"paused until {row.paused_until:%H:%M:%S} UTC"
    return None
