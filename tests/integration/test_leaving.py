"""What a note's age does to the call that it was made for, on a real connection."""

from __future__ import annotations

import datetime as dt
import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from erp_pipelines.connectors.calling import Caller
from erp_pipelines.connectors.http import Call, ErpHttp, Profile
from erp_pipelines.connectors.leaving import LEAVES_WITHIN, UNACKNOWLEDGED_SECONDS, noted
from erp_pipelines.domain.errors import LockLost
from tests.support.clock import FakeClock
from tests.unit.connectors.connector_support import Line, Scripted

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
A_SECOND = dt.timedelta(seconds=1)


@dataclass
class Listener:
    """A server that answers each request, and keeps what it was sent on each connection."""

    url: str = ""
    sent: queue.Queue[bytes] = field(default_factory=queue.Queue)
    accepted: threading.Event = field(default_factory=threading.Event)

    def serve(self, server: socket.socket) -> None:
        while True:
            try:
                there, _ = server.accept()
            except OSError:
                return
            self.accepted.set()
            with there:
                sent = there.recv(65536)
                self.sent.put(sent)
                if sent:
                    there.sendall(ANSWER)

    def heard(self) -> bytes:
        """What came on the next connection; nothing if it was closed without a byte."""
        return self.sent.get(timeout=10)


@contextmanager
def listening() -> Iterator[Listener]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        listener = Listener(f"http://127.0.0.1:{server.getsockname()[1]}")
        thread = threading.Thread(target=listener.serve, args=(server,))
        thread.start()
        yield listener
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as one:
        yield one


@pytest.fixture
def line() -> Line:
    return Line(Scripted())


def send(listener: Listener, line: Line, *, makes: bool) -> None:
    http = ErpHttp(Profile("QuickBooks", (listener.url,)))
    call = Call("invoice.create", "POST", f"{listener.url}/invoice", write=True, makes=makes, body=b"{}")
    try:
        Caller(http, line.lent, refusal=lambda *_: None).call(call)
    finally:
        http.close()


@dataclass
class Renewals:
    """Notes again, if it still may."""

    clock: FakeClock
    error: Exception | None = None
    times: int = 0

    def __call__(self) -> dt.datetime:
        self.times += 1
        if self.error:
            raise self.error
        return self.clock.now()


def test_what_was_noted_a_moment_ago_leaves(listener, line):
    renew = Renewals(line.clock)
    with noted(line.clock.now() - LEAVES_WITHIN, renew):
        send(listener, line, makes=True)
    assert b"POST /invoice" in listener.heard()
    assert renew.times == 0


def test_what_was_noted_too_long_ago_is_noted_anew_before_it_leaves(listener, line):
    """Its turn came late: other calls were slow, or the machine. That costs no try."""
    renew = Renewals(line.clock)
    with noted(line.clock.now() - LEAVES_WITHIN - A_SECOND, renew):
        send(listener, line, makes=True)
        send(listener, line, makes=True)  # of the same try, soon after
    assert b"POST /invoice" in listener.heard()
    assert renew.times == 1


def test_what_cannot_be_noted_anew_does_not_leave(listener, line):
    renew = Renewals(line.clock, LockLost("Another worker has it."))
    with noted(line.clock.now() - LEAVES_WITHIN - A_SECOND, renew), pytest.raises(LockLost):
        send(listener, line, makes=True)
    assert listener.heard() == b""  # the connection stood, and not a byte came
    assert line.counts.writes == 0
    assert "failed" not in line.pace.heard  # the ERP has done nothing wrong


def test_the_age_is_looked_at_between_the_connection_and_its_first_byte(listener):
    """Connecting takes its time, and so may the machine."""
    seen: list[bool] = []
    http = ErpHttp(Profile("QuickBooks", (listener.url,)))
    call = Call("invoice.create", "POST", f"{listener.url}/invoice", write=True, makes=True, body=b"{}")
    http.exchange(call, leaves=lambda: seen.append(listener.accepted.wait(10) and listener.sent.empty()))
    http.close()
    assert seen == [True]


def test_a_change_leaves_whenever_it_comes(listener, line):
    """It is told by its version, however late."""
    renew = Renewals(line.clock)
    with noted(line.clock.now() - 2 * LEAVES_WITHIN, renew):
        send(listener, line, makes=False)
    assert renew.times == 0
    assert listener.heard()


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="this system has no such option")
def test_our_end_gives_up_what_nobody_acknowledges(listener):
    http = ErpHttp(Profile("QuickBooks", (listener.url,)))
    with http._client.stream("GET", listener.url) as response:
        stream = response.extensions["network_stream"]
        there: socket.socket = stream.get_extra_info("socket")
        assert there.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == UNACKNOWLEDGED_SECONDS * 1000
    http.close()
