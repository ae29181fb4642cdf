"""Local services: order, readiness, failure, and that nothing outlives the supervisor."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import erp_pipelines
from erp_pipelines.server import probes
from erp_pipelines.server.errors import PortInUseError, ServiceFailed
from erp_pipelines.server.supervisor import Event, Service, Supervisor, groups

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(erp_pipelines.__file__).parents[1]
SLEEP = "import time; time.sleep(60)"
LISTEN = "import socket, time; time.sleep({delay}); s = socket.create_server(('127.0.0.1', {port})); time.sleep(60)"
WEB = """
import http.server, time
began = time.monotonic()
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if time.monotonic() - began > 0.4 and self.path == "/health?deep=1" else 503)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", {port}), Answer).serve_forever()
"""


def service(name: str, code: str = SLEEP, **more) -> Service:
    return Service(name, [sys.executable, "-S", "-c", code], **more)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listener(name: str, delay: float = 0, **more) -> Service:
    port = free_port()
    return service(name, LISTEN.format(delay=delay, port=port), ready=f"tcp://127.0.0.1:{port}", ports=[port], **more)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/status")  # a zombie is only waiting for somebody to read its exit code
    return not (status.exists() and "State:\tZ" in status.read_text())


def all_gone(*pids: int, seconds: float = 8) -> bool:
    deadline = time.monotonic() + seconds
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(alive, pids))


def watch(supervisor: Supervisor, seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        supervisor.check()
        time.sleep(0.02)


def awaited(path: Path, seconds: float = 10) -> str:
    """What a service writes into the file, as soon as it has."""
    deadline = time.monotonic() + seconds
    while not (path.exists() and path.read_text().endswith("\n")) and time.monotonic() < deadline:
        time.sleep(0.02)
    return path.read_text()


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def supervise(tmp_path: Path, events: list[Event]) -> Iterator:
    made: list[Supervisor] = []

    def make(*services: Service, grace: float = 5) -> Supervisor:
        made.append(Supervisor(services, log_dir=tmp_path / "logs", on_event=events.append, grace=grace))
        return made[-1]

    yield make
    for supervisor in made:
        supervisor.stop()


def kinds(events: list[Event]) -> list[str]:
    return [f"{event.service} {event.kind}" for event in events]


def test_one_after_the_other_and_back(supervise, events):
    with supervise(listener("a", delay=0.3), service("b")) as supervisor:
        supervisor.start()
        supervisor.check()
        pids = dict(supervisor.pids)
        assert list(pids) == ["a", "b"]
        assert all(map(alive, pids.values()))
    assert kinds(events) == ["a starting", "a ready", "b starting", "b ready", "b stopped", "a stopped"]
    assert events[1].seconds >= 0.3
    assert all_gone(*pids.values(), seconds=1)
    assert supervisor.pids == {}
    supervisor.stop()
    assert len(events) == 6


def test_parallel_ones_start_with_their_successor(supervise, events):
    with supervise(listener("a", delay=0.2, parallel=True), listener("b"), service("c")) as supervisor:
        supervisor.start()
    assert kinds(events)[:6] == ["a starting", "b starting", "a ready", "b ready", "c starting", "c ready"]


def test_groups():
    made = [
        service("a", parallel=True),
        service("b", parallel=True),
        service("c"),
        service("d"),
        service("e", parallel=True),
    ]
    assert ["".join(one.name for one in group) for group in groups(made)] == ["abc", "d", "e"]


def test_http_is_ready_with_a_good_status(supervise, events):
    port = free_port()
    web = service("web", WEB.format(port=port), ready=f"http://127.0.0.1:{port}/health?deep=1")
    with supervise(web) as supervisor:
        supervisor.start()
        assert not probes.answers(f"http://127.0.0.1:{port}/other")
    assert events[1].kind == "ready"
    assert events[1].seconds >= 0.4


@pytest.mark.parametrize("url", ["ftp://127.0.0.1:1", "127.0.0.1:1"])
def test_a_probe_that_is_none(url):
    with pytest.raises(ValueError, match="is no probe"):
        probes.answers(url)


def test_death_before_readiness_tells_the_last_lines(supervise, events, tmp_path):
    crash = service(
        "crash", "import sys; [print('line', n) for n in range(50)]; sys.exit(3)", ready="tcp://127.0.0.1:1"
    )
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "crash.log").write_text("of yesterday\n")
    with supervise(service("first"), crash) as supervisor:
        with pytest.raises(ServiceFailed, match=r"crash ended by itself with exit code 3") as raised:
            supervisor.start()
        assert str(raised.value).splitlines()[1:] == [f"line {n}" for n in range(30, 50)]
    assert kinds(events)[-3:] == ["crash failed", "crash stopped", "first stopped"]
    assert (tmp_path / "logs" / "crash.log").read_text().startswith("of yesterday\nline 0\n")


def test_too_slow(supervise):
    with (
        supervise(service("slow", ready="tcp://127.0.0.1:1", ready_timeout=0.3)) as supervisor,
        pytest.raises(ServiceFailed, match=r"slow was not ready \(tcp://127.0.0.1:1\) after 0.3 s"),
    ):
        supervisor.start()


def test_a_program_that_is_not_there(supervise):
    with (
        supervise(Service("none", ["no-such-program"], ready="tcp://127.0.0.1:1")) as supervisor,
        pytest.raises(ServiceFailed, match="no-such-program can't be run: No such file"),
    ):
        supervisor.start()


def test_a_crash_is_noticed(supervise, events):
    with supervise(service("a"), service("b")) as supervisor:
        supervisor.start()
        os.kill(supervisor.pids["b"], signal.SIGKILL)
        with pytest.raises(ServiceFailed, match="b ended by itself by signal SIGKILL"):
            watch(supervisor)
    assert events[4].kind == "failed"


def test_a_taken_port_is_named_before_anything_of_the_group_starts(supervise, events):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        wanting = service("api", ports=[port], port_hint="set ERP_API_PORT")
        with (
            supervise(service("beside", parallel=True), wanting) as supervisor,
            pytest.raises(PortInUseError, match=f"api needs port {port}, .*: set ERP_API_PORT"),
        ):
            supervisor.start()
    assert events == []


def test_a_shared_port_is_taken():
    with socket.socket() as shared:
        shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        shared.bind(("127.0.0.1", 0))
        shared.listen()
        assert probes.is_taken(shared.getsockname()[1])
    assert not probes.is_taken(free_port())


def test_the_stubborn_and_their_children_are_killed(supervise, events, tmp_path):
    stubborn = f"""
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-S", "-c", {SLEEP!r}])
open({str(tmp_path / "pids")!r}, "w").write(f"{{os.getpid()}} {{child.pid}}\\n")
time.sleep(60)
"""
    with supervise(service("stubborn", stubborn), grace=0.3) as supervisor:
        supervisor.start()
        pids = [int(pid) for pid in awaited(tmp_path / "pids").split()]
        assert pids[0] == supervisor.pids["stubborn"]
    assert events[-1].detail == "killed after 0.3 s"
    assert all_gone(*pids, seconds=2)


def test_children_that_outlive_their_parent_are_killed(supervise, tmp_path):
    leaving = f"""
import signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-S", "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"])
time.sleep(0.5)
open({str(tmp_path / "pids")!r}, "w").write(f"{{child.pid}}\\n")
time.sleep(60)
"""
    with supervise(service("leaving", leaving)) as supervisor:
        supervisor.start()
        pid = int(awaited(tmp_path / "pids"))
    assert all_gone(pid, seconds=2)


def test_a_service_gets_its_environment_and_clean_signals(supervise, tmp_path):
    tell = f"""
import os, signal
ignored = [s.name for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if signal.getsignal(s) == signal.SIG_IGN]
text = f"{{os.environ['SAID']}} {{os.environ['PYTHONUNBUFFERED']}} {{ignored}} {{os.getsid(0) == os.getpid()}}\\n"
open({str(tmp_path / "told")!r}, "w").write(text)
"""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with supervise(service("tell", tell, env={"SAID": "hello"})) as supervisor:
            supervisor.start()
            assert awaited(tmp_path / "told") == "hello 1 [] True\n"
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_big_log_is_put_aside(supervise, tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.log").write_bytes(b"x" * 5_000_001)
    with supervise(service("a")) as supervisor:
        supervisor.start()
    assert (tmp_path / "logs" / "a.log").stat().st_size == 0
    assert (tmp_path / "logs" / "a.log.1").stat().st_size == 5_000_001


OUTER = """
import sys, time
sys.path.insert(0, {root!r})
from pathlib import Path
from erp_pipelines.server.supervisor import Service, Supervisor
code = '''
import os, signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])
open({pids!r}, "w").write(f"{{os.getpid()}} {{child.pid}}\\\\n")
time.sleep(60)
'''
with Supervisor([Service("a", [sys.executable, "-S", "-c", code])], log_dir=Path({logs!r})) as supervisor:
    supervisor.start()
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        sys.exit(130)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_nothing_outlives_the_supervising_process(tmp_path, how):
    pids = tmp_path / "pids"
    code = OUTER.format(root=str(ROOT), pids=str(pids), logs=str(tmp_path / "logs"))
    with subprocess.Popen([sys.executable, "-c", code]) as outer:
        both = [int(pid) for pid in awaited(pids).split()]
        assert all(map(alive, both))
        outer.send_signal(how)
        assert outer.wait(10) == (130 if how == signal.SIGINT else -how)
    assert all_gone(*both)
