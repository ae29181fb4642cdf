"""The NetSuite twin on real sockets: its port beside QuickBooks', its command and state, its pages."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, Client

from erp_twins.__main__ import options, servers_of
from erp_twins.netsuite import NetSuiteTwin
from erp_twins.serve import TwinServer
from tests.contract.netsuite_twin_support import RECORD, TOKEN, certificate, claims, form

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def server():
    with TwinServer(NetSuiteTwin()) as running:
        yield running


@pytest.fixture
def client(server):
    headers = {"authorization": f"Bearer {server.twin.connect()}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=10) as http:
        yield http


def make(client, **more):
    answer = client.post(f"{RECORD}/customer", json={"companyName": "A & B", "subsidiary": {"id": "1"}, **more})
    assert answer.status_code == 204
    return answer.headers["location"]


def test_location_can_be_followed_and_a_drop_is_real(server, client):
    assert client.get(make(client)).json()["companyName"] == "A & B"
    server.twin.add_fault("drop_after_commit")
    with pytest.raises(httpx.RemoteProtocolError):
        client.put(f"{RECORD}/customer/eid:c-2", json={"companyName": "C", "subsidiary": {"id": "1"}})
    assert client.get(f"{RECORD}/customer/eid:c-2").json()["companyName"] == "C"


def test_signature_covers_the_path_as_it_was_sent(server):
    server.twin.add_integration("shop", "s")
    server.twin.add_token("shop", ident="t", secret="t")
    signer = Client("shop", "s", "t", "t", realm="1234567", signature_method=SIGNATURE_HMAC_SHA256)
    for path in ("customer/eid:c-1", "customer/eid%3Ac-1", "customer?q=companyName%20IS%20%22A%20%26%20B%22"):
        url, headers, _ = signer.sign(f"{server.url}{RECORD}/{path}", "GET")
        assert httpx.get(url, headers=headers).status_code == (404 if "eid" in path else 200)


def test_pages_show_lists_and_documents(client):
    make(client)
    item = {"itemId": "Oil", "incomeAccount": "5", "taxSchedule": "1", "subsidiary": {"items": [{"id": "1"}]}}
    client.post(f"{RECORD}/serviceSaleItem", json=item)
    lines = {"items": [{"item": {"id": "201"}, "amount": 1200.5}]}
    client.post(f"{RECORD}/invoice", json={"entity": {"id": "101"}, "item": lines})
    assert "A &amp; B" in client.get("/app/common/entity/custjob.nl?id=101").text
    page = client.get("/app/accounting/transactions/custinvc.nl?id=1001&compid=1234567").text
    assert all(text in page for text in ("Invoice INV1", "1,296.54", "Oil", "Open"))
    assert "INV1" in client.get("/app/accounting/transactions/custinvc.nl").text
    assert client.get("/").status_code == 200
    assert client.get("/app/accounting/transactions/custinvc.nl?id=9").status_code == 404
    assert client.get("/app/nothing.nl").status_code == 404


def started(*arguments):
    command = [sys.executable, "-m", "erp_twins", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_command_serves_both_twins_and_keeps_their_state(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "certificate.pem").write_text(certificate(key, days=3000))
    state = tmp_path / "state"
    given = [
        "--quickbooks-port",
        "0",
        "--netsuite-port",
        "0",
        "--netsuite-account",
        "55-sb2",
        "--netsuite-client-id",
        "shop",
    ]
    with started(*given, "--netsuite-certificate", str(tmp_path / "certificate.pem"), "--state", str(state)) as process:
        urls = dict(re.match(r"(\w+) twin: (\S+)", process.stdout.readline()).groups() for _ in range(2))
        assert httpx.get(f"{urls['QuickBooks']}/_twin/health").json()["twin"] == "quickbooks"
        url = urls["NetSuite"]
        clock = httpx.post(f"{url}/_twin/clock", json={"set": "2026-03-02T20:00:00+00:00"}).json()
        assert clock["now"].startswith("2026-03-02T20:00")
        signed = jwt.encode(claims(aud=url + TOKEN), key, algorithm="ES256", headers={"kid": "twin-certificate"})
        token = httpx.post(url + TOKEN, data=form(signed)).json()["access_token"]
        headers = {"authorization": f"Bearer {token}"}
        assert (
            httpx.post(
                f"{url}{RECORD}/customer", json={"companyName": "A", "subsidiary": "1"}, headers=headers
            ).status_code
            == 204
        )
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    saved = json.loads((state / "netsuite.json").read_text())
    assert [row["companyName"] for row in saved["accounts"]["55_SB2"]["tables"]["customer"].values()] == ["A"]
    assert (state / "quickbooks.json").exists()


def test_options_make_a_ready_account():
    with pytest.raises(SystemExit):
        options([])
    chosen = options(
        ["--netsuite-port", "0", "--netsuite-token-id", "t", "--netsuite-token-secret", "s", "--state", "x.json"]
    )
    servers = servers_of(chosen)
    assert list(servers) == ["NetSuite"]
    assert servers["NetSuite"].twin.access.tokens["t"].token_secret == "s"


def test_command_says_when_the_port_is_taken(server):
    with started("--netsuite-port", server.url.rpartition(":")[2]) as process:
        assert process.wait(20) == 1
        assert process.stderr.read().startswith("erp_twins: cannot listen:")
