"""`erp demo` as a newcomer runs it: the whole stack, on ports and data of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from erp_pipelines.server import postgres
from tests.support.ports import free_ports, is_open
from tests.support.stage import ROOT

pytestmark = pytest.mark.slow
ERP = str(Path(sys.executable).with_name("erp"))
NAMES = ("ERP_API_PORT", "ERP_DAGSTER_PORT", "ERP_CODE_PORT", "ERP_DEMO_TWIN_PORT", "ERP_DEMO_NETSUITE_PORT")


@pytest.fixture
def demo(tmp_path):
    made = Demo(tmp_path / "data")
    yield made
    made.end()


class Demo:
    def __init__(self, data: Path) -> None:
        self.data, self.ports = data, free_ports(5)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("ERP_", "DAGSTER"))}
        numbers = {name: str(port) for name, port in zip(NAMES, self.ports, strict=True)}
        self.env = inherited | numbers | {"ERP_DATA_DIR": str(data), "ERP_LINGER_SECONDS": "5"}
        self.started: list[subprocess.Popen[str]] = []

    def run(self) -> subprocess.CompletedProcess[str]:
        command = [ERP, "demo", "--exit"]
        return subprocess.run(command, env=self.env, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)

    def start(self) -> subprocess.Popen[str]:
        log = (self.data.parent / "demo.log").open("w")
        process = subprocess.Popen(
            [ERP, "demo"],
            env=self.env,
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        log.close()
        self.started.append(process)
        self.until(lambda: "Ctrl-C stops everything" in self.log(), process)
        return process

    def log(self) -> str:
        return (self.data.parent / "demo.log").read_text()

    def until(self, holds, process=None, seconds=200.0) -> None:
        ends = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < ends, self.log()
            assert process is None or process.poll() is None, self.log()
            time.sleep(0.2)

    def nothing_runs(self) -> bool:
        return not any(is_open(port) for port in self.ports) and postgres.wait_stopped(self.data, timeout=20)

    def ended(self, process: subprocess.Popen[str], how: signal.Signals, *, code: int) -> None:
        """By this signal, with this code, and nothing of it is left."""
        assert all(is_open(port) for port in self.ports)
        process.send_signal(how)
        assert process.wait(timeout=60) == code
        self.until(self.nothing_runs, seconds=30)

    def end(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.wait()


@pytest.mark.timeout(600)  # the whole stack twice
def test_the_demo_shows_the_whole_story_and_a_second_one_goes_on_with_its_data_until_ctrl_c(demo):
    first = demo.run()
    assert first.returncode == 0, first.stdout + first.stderr
    assert "order D-1003 is paid in the shop too" in first.stdout
    assert "order D-1004 is paid in the shop too" in first.stdout
    assert "all is as it should be" in first.stdout
    assert demo.nothing_runs()
    second = demo.start()
    assert "invoice D-1005" in demo.log()
    assert "invoice D-1001" not in demo.log()
    demo.ended(second, signal.SIGINT, code=0)


def test_a_demo_that_is_killed_leaves_nothing_running(demo):
    demo.ended(demo.start(), signal.SIGKILL, code=-signal.SIGKILL)


def test_a_port_that_is_taken_is_named_with_its_setting(demo):
    with socket.create_server(("127.0.0.1", demo.ports[0])):
        refused = demo.run()
    assert refused.returncode == 1
    assert f"web app needs port {demo.ports[0]}" in refused.stderr
    assert "ERP_API_PORT" in refused.stderr
    assert demo.nothing_runs()
