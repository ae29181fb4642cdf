"""An independent client for Node, whose makers checked it against the real service, logs in by certificate and writes."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from erp_twins.netsuite import NetSuiteTwin
from erp_twins.serve import TwinServer
from tests.contract.netsuite_twin_support import NOON, certificate, key_of

SOURCE = Path(__file__).with_name("netsuite_sdk")
HOME = Path(__file__).resolve().parents[2] / ".venv-peers" / "netsuite-sdk"

pytestmark = pytest.mark.peers


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=HOME, capture_output=True, text=True, timeout=240, check=False)


@pytest.fixture(scope="module")
def node() -> str:
    """Node, with the client's packages beside the script; anew when their lock has changed."""
    program = shutil.which("node")
    if not program or not shutil.which("npm"):
        pytest.skip("there is no node here")
    shutil.copytree(SOURCE, HOME, dirs_exist_ok=True)
    stamp, lock = HOME / "node_modules" / "lock.json", (SOURCE / "package-lock.json").read_text()
    if not stamp.exists() or stamp.read_text() != lock:
        done = run("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
        if done.returncode:
            pytest.skip(f"the package registry cannot be reached: {done.stderr.strip()[-300:]}")
        stamp.write_text(lock)
    return program


def pem_of(key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def test_sdk_logs_in_writes_batches_and_understands_refusals(node: str, tmp_path: Path) -> None:
    key = key_of("rsa")
    (tmp_path / "key.pem").write_bytes(pem_of(key))
    twin = NetSuiteTwin(account="1234567_SB1")
    twin.configure(idempotency_status=409)
    twin.add_integration("shop", account="1234567_SB1")
    days = (twin.clock.now() - NOON).days + 700
    twin.add_certificate("shop", certificate(key, days), kid="cert-1")
    with TwinServer(twin) as server:
        done = run(node, "journey.js", server.url, "1234567_SB1", "shop", "cert-1", str(tmp_path / "key.pem"))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "created": "101",
        "upserted": "102",
        "addresses": 1,
        "query": ["Anchor & Sons", "Blue Door"],
        "missing": ["NetSuiteValidationError", 400, "USER_ERROR"],
        "nowhere": ["NetSuiteNotFoundError", 404, None],
        "stranger": ["NetSuiteAuthError", 401, None],
        "batch": [True, False],
        "repeated": ["NetSuiteIdempotencyError", 409, None],
    }
    assert twin.ledger("1234567_SB1").counts == {"customer": 3}
