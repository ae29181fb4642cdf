"""An independent client for Node, whose makers checked it against the real service, logs in by certificate and writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from erp_twins.netsuite import NetSuiteTwin
from erp_twins.serve import TwinServer
from tests.contract.netsuite_twin_support import NOON, certificate, key_of
from tests.peers.node import Peer

pytestmark = pytest.mark.peers


@pytest.fixture(scope="module")
def sdk() -> Peer:
    return Peer("netsuite_sdk").installed()


def pem_of(key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def test_sdk_logs_in_writes_batches_and_understands_refusals(sdk: Peer, tmp_path: Path) -> None:
    key = key_of("rsa")
    (tmp_path / "key.pem").write_bytes(pem_of(key))
    twin = NetSuiteTwin(account="1234567_SB1")
    twin.configure(idempotency_status=409)
    twin.add_integration("shop", account="1234567_SB1")
    days = (twin.clock.now() - NOON).days + 700
    twin.add_certificate("shop", certificate(key, days), kid="cert-1")
    with TwinServer(twin) as server:
        seen = sdk.journey(server.url, "1234567_SB1", "shop", "cert-1", str(tmp_path / "key.pem"))
    assert json.loads(seen) == {
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
