"""A worker's hold on one connection: what `outbound` and `inbound` work with."""

from __future__ import annotations

import datetime as dt
import os
import socket
import threading
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.access.tokens import StoredTokenSource
from erp_pipelines.connectors.base import ConnectionFacts, ErpSession, ExternalRef, Lent, Ref
from erp_pipelines.connectors.provider import InFlight, Kinds
from erp_pipelines.delivery.pacer import StoredPacer
from erp_pipelines.delivery.places import Places
from erp_pipelines.delivery.reports import Tally
from erp_pipelines.domain.connections import ConnectionKey, ConnectionState
from erp_pipelines.storage import connections, pacing
from erp_pipelines.storage.connections import ConnectionRow
from erp_pipelines.storage.engine import Connection, WorkerSession

# Its half, which is what a write may find left, is longer than the longest call: QuickBooks gives up after 120 s, our client after 130.
LEASE = dt.timedelta(minutes=5)


def owner_name() -> str:
    """Who holds a claim, for people too: host, process, thread and a part that never repeats."""
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}:{uuid.uuid4().hex[:8]}"


class OwnTurn:
    """The transactions of one worker's threads on its one session: one after the other."""

    def __init__(self, session: WorkerSession, tenant_id: str) -> None:
        self._session, self._tenant_id, self._lock = session, tenant_id, threading.Lock()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        with self._lock, self._session.tenant(self._tenant_id) as conn:
            yield conn

    @contextmanager
    def statements(self) -> Iterator[Connection]:
        """Each statement is a transaction of its own: quicker for reads, and for writes of one statement."""
        with self._lock, self._session.statements(self._tenant_id) as conn:
            yield conn


@dataclass
class Job:
    """One worker, one connection, one advisory lock; its threads share all three."""

    runtime: Runtime
    turn: OwnTurn
    row: ConnectionRow
    facts: ConnectionFacts
    erp: ErpSession
    tally: Tally
    places: Places = field(default_factory=Places)
    owner: str = field(default_factory=owner_name)
    _busy: dict[Ref, threading.RLock] = field(default_factory=lambda: defaultdict(threading.RLock))
    _guard: threading.Lock = field(default_factory=threading.Lock)

    @property
    def key(self) -> ConnectionKey:
        return self.row.key

    def now(self) -> dt.datetime:
        return self.runtime.clock.now()

    @property
    def kinds(self) -> Kinds:
        return self.runtime.connector(self.key.provider).kinds

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """On the session that holds the lock; raises LockLost when it is gone."""
        with self.turn.transaction() as conn:
            yield conn

    @contextmanager
    def statements(self) -> Iterator[Connection]:
        """Each statement is a transaction of its own, which spares it two journeys: for reads, and for one write; raises as `transaction` does."""
        with self.turn.statements() as conn:
            yield conn

    @contextmanager
    def alone_on(self, ref: Ref) -> Iterator[None]:
        """No other thread of this worker brings the same record meanwhile.

        The same thread may take it again: `bring` finds a circle of requirements by its depth.
        """
        with self._guard:
            lock = self._busy[ref]
        with lock:
            yield

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
    connector, turn = runtime.connector(key.provider), OwnTurn(session, key.tenant_id)
    places = _places(turn, connector.in_flight(facts), row.id)
    per_minute = runtime.per_minute(key.provider)
    batches = runtime.batches_per_minute.get(key.provider, per_minute)
    pacer = StoredPacer(turn.transaction, turn.statements, runtime.clock, key, row.id, per_minute, batches, places)
    lent = Lent(
        tokens=StoredTokenSource(runtime, key, row.id),
        pacer=pacer,
        clock=runtime.clock,
        calls=tally.calls,
        jitter=runtime.jitter,
        batch_turn=pacer.batch_turn,
    )
    return Job(runtime, turn, row, facts, connector.session(facts, lent), tally, places)


def _places(turn: OwnTurn, allowed: InFlight, connection_id: str) -> Places:
    """As many as the last worker ended with."""
    if allowed.most <= 1:
        return Places()
    with turn.transaction() as conn:
        learned = pacing.in_flight(conn, connection_id)
    return Places(learned or allowed.start, allowed.most)


def unservable(row: ConnectionRow, now: dt.datetime) -> str | None:
    """Why this connection waits; None when it doesn't."""
    if row.state != ConnectionState.CONNECTED:
        return f"{row.state}: {row.state_reason}" if row.state_reason else str(row.state)
    if row.paused_until and row.paused_until > now:
        return f"paused until {row.paused_until:%H:%M:%S} UTC"
    return None
