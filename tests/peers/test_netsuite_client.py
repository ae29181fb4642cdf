"""An independent NetSuite client, written for the real service, drives the served twin.

It pins libraries that clash with ours, so it lives in an environment of its own, made here once from hashed pins.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from erp_twins.netsuite import NetSuiteTwin
from erp_twins.serve import TwinServer

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements" / "peer-netsuite.lock"
HOME = ROOT / ".venv-peers" / "netsuite"

pytestmark = pytest.mark.peers


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)


@pytest.fixture(scope="module")
def python() -> str:
    """The interpreter of the client's environment; made anew when its lock has changed."""
    stamp, interpreter = HOME / "lock.txt", str(HOME / "bin" / "python")
    if stamp.exists() and stamp.read_text() == LOCK.read_text():
        return interpreter
    assert run(sys.executable, "-m", "venv", "--clear", "--without-pip", str(HOME)).returncode == 0
    pip = (sys.executable, "-m", "pip", "--python", interpreter, "install", "-q", "--disable-pip-version-check")
    done = run(*pip, "--no-deps", "--require-hashes", "-r", str(LOCK))
    if done.returncode:
        pytest.skip(f"the package registry cannot be reached: {done.stderr.strip()[-300:]}")
    stamp.write_text(LOCK.read_text())
    return interpreter


def test_client_signs_writes_reads_pages_and_understands_refusals(python: str) -> None:
    twin = NetSuiteTwin(account="1234567_SB1")
    twin.add_integration("shop", "se&cret+", "1234567_SB1")
    twin.add_token("shop", ident="token", secret="to/ken")
    with TwinServer(twin) as server:
        script = str(Path(__file__).with_name("netsuite_client.py"))
        done = run(python, script, server.url, "shop", "se&cret+", "token", "to/ken", "1234567_SB1")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "created": None,
        "read": "dock@example.com",
        "found": ["101"],
        "pages": ["Anchor & Sons", "Blue Door", "Caf\u00e9", "Dock"],
        "schema": True,
        "openapi": ["customer", "term"],
        "duplicate": [400, "USER_ERROR"],
        "unknown": [400, "INVALID_CONTENT"],
        "stranger": [401, "INVALID_LOGIN"],
        "deleted": None,
    }
    assert twin.ledger("1234567_SB1").counts == {"customer": 3}
