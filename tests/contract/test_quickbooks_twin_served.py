"""The twin on real sockets: broken connections, deliveries, its state file, its command and its pages."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from erp_twins.quickbooks import QuickBooksTwin
from erp_twins.serve import TwinServer
from tests.contract.twin_support import REALM, REDIRECT, sale

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def server():
    twin = QuickBooksTwin()
    twin.configure(throttle=False)
    twin.add_app("app-1", "app-secret", (REDIRECT,))
    with TwinServer(twin) as running:
        yield running


@pytest.fixture
def client(server):
    with connected(server) as http:
        yield http


def connected(server):
    headers = {"authorization": f"Bearer {server.twin.connect('app-1')['access_token']}", "accept": "application/json"}
    return httpx.Client(base_url=server.url, headers=headers, timeout=5)


def post(client, path, body, **params):
    return client.post(f"/v3/company/{REALM}/{path}", json=body, params=params)


@pytest.mark.parametrize(
    ("fault", "kept"),
    [("drop_before_commit", 0), ("refuse_connection", 0), ("drop_after_commit", 1), ("truncated_body", 1)],
)
def test_connection_faults_are_real(server, client, fault, kept):
    server.twin.add_fault(fault)
    with pytest.raises(httpx.RemoteProtocolError):
        post(client, "customer", {"DisplayName": "A"}, requestid="r-1")
    assert len(server.twin.company().customers) == kept
    assert post(client, "customer", {"DisplayName": "A"}, requestid="r-1").json()["Customer"]["Id"] == "1"


def test_slow_fault_outlasts_an_impatient_client_and_still_commits(server, client):
    server.twin.add_fault("slow", seconds=0.4)
    with pytest.raises(httpx.ReadTimeout):
        client.post(f"/v3/company/{REALM}/customer", json={"DisplayName": "A"}, timeout=0.1)
    assert server.twin.company().customers == []
    deadline = time.monotonic() + 5
    while not server.twin.company().customers and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(server.twin.company().customers) == 1


def test_many_clients_at_once_lose_nothing(server, client):
    threads = [threading.Thread(target=post, args=(client, "customer", {"DisplayName": f"C{n}"})) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(int(row["Id"]) for row in server.twin.company().customers) == list(range(1, 21))


class _Receiver(BaseHTTPRequestHandler):
    got: list[dict[str, object]]
    answers: list[int]

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.got.append({"body": json.loads(body), "signature": self.headers["intuit-signature"]})
        self.send_response(self.answers.pop(0) if self.answers else 200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_args):
        """Quiet."""


def test_webhooks_are_posted_and_repeated_until_acknowledged(server, client):
    handler = type("Receiver", (_Receiver,), {"got": [], "answers": [500]})
    with HTTPServer(("127.0.0.1", 0), handler) as target:
        threading.Thread(target=target.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{target.server_port}/hook"
        assert client.post("/_twin/webhooks/target", json={"url": url, "verifierToken": "v"}).json()["url"] == url
        post(client, "customer", {"DisplayName": "A"})
        # Posted, and its refusal noted: only then is the next try's time known.
        _wait_for(lambda: [waiting.attempts for waiting in server.twin.webhooks.deliveries] == [1])
        assert len(handler.got) == 1
        client.post("/_twin/clock", json={"advance": 11})
        _wait_for(lambda: len(handler.got) == 2)
        _wait_for(lambda: server.twin.webhooks.deliveries == [])
        target.shutdown()
    assert handler.got[0] == handler.got[1]
    assert handler.got[0]["body"][0]["type"] == "qbo.customer.created.v1"


def _wait_for(holds):
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_state_survives_a_restart(tmp_path):
    state = tmp_path / "twin.json"
    twin = QuickBooksTwin()
    twin.add_app("app-1", "app-secret", (REDIRECT,))
    with TwinServer(twin, state=state) as first, connected(first) as client:
        headers = dict(client.headers)
        made = post(client, "customer", {"DisplayName": "A"}, requestid="r-1")
        _wait_for(lambda: state.exists() and "r-1" in state.read_text())
    with (
        TwinServer(QuickBooksTwin(), state=state) as second,
        httpx.Client(base_url=second.url, headers=headers) as client,
    ):
        assert post(client, "customer", {"DisplayName": "A"}, requestid="r-1").content == made.content
        assert post(client, "customer", {"DisplayName": "a"}).json()["Fault"]["Error"][0]["code"] == "6240"
        assert post(client, "customer", {"DisplayName": "B"}).json()["Customer"]["Id"] == "2"


def test_command_serves_saves_on_sigterm_and_starts_again(tmp_path):
    state = tmp_path / "twin.json"
    command = [
        sys.executable,
        "-m",
        "erp_twins",
        "--quickbooks-port",
        "0",
        "--state",
        str(state),
        "--client-id",
        "c",
        "--redirect-uri",
        REDIRECT,
    ]
    for expected in (1, 2):
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            url = re.search(r"http://\S+", process.stdout.readline())[0]
            assert httpx.get(f"{url}/_twin/health").json()["status"] == "ok"
            httpx.post(f"{url}/_twin/companies", json={"realm": str(expected), "name": "Made"})
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
        assert len(json.loads(state.read_text())["companies"]) == expected + 1


def test_command_says_when_the_port_is_taken(server):
    port = server.url.rpartition(":")[2]
    done = subprocess.run(
        [sys.executable, "-m", "erp_twins", "--quickbooks-port", port],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("erp_twins: cannot listen:")


# --- pages and control ---


def test_invoice_page_shows_the_document_and_takes_a_payment(server, client):
    post(client, "customer", {"DisplayName": "Caf\u00e9 <Blue>"})
    post(client, "item", {"Name": "Oil", "Type": "Service", "IncomeAccountRef": {"value": "5"}})
    line = json.loads(json.dumps(sale("1200.50"), default=float))
    post(
        client,
        "invoice",
        {"DocNumber": "SHOP-1", "CustomerRef": {"value": "1"}, "Line": [line], "TxnTaxDetail": {"TotalTax": 96.04}},
    )
    page = client.get(f"/app/invoice?txnId=101&realmId={REALM}").text
    assert "Caf\u00e9 &lt;Blue&gt;" in page
    assert "1,296.54" in page
    assert "Receive payment" in page
    paid = client.post(f"/app/invoice/pay?txnId=101&realmId={REALM}", follow_redirects=True).text
    assert "Receive payment" not in paid
    assert "Paid" in paid
    for path in (
        "/",
        f"/app/{REALM}/invoices",
        f"/app/{REALM}/customers",
        f"/app/customerdetail?nameId=1&realmId={REALM}",
    ):
        assert client.get(path).status_code == 200
    assert client.get(f"/app/invoice?txnId=999&realmId={REALM}").status_code == 404


def test_ledger_and_calls_over_http(client):
    post(client, "customer", {"DisplayName": "A"}, requestid="r-1")
    post(client, "customer", {"DisplayName": "A"}, requestid="r-1")
    ledger = client.get("/_twin/ledger", params={"realm": REALM}).json()
    assert ledger["counts"]["Customer"] == 1
    assert [(one["entity"], one["operation"], one["requestid"]) for one in ledger["history"]] == [
        ("Customer", "Create", "r-1")
    ]
    calls = client.get("/_twin/calls", params={"since": 1}).json()
    assert [(call["kind"], call["entity"], call["operation"], call["status"], call["replayed"]) for call in calls] == [
        ("write", "Customer", "create", 200, True)
    ]
    assert client.get("/_twin/calls/summary").json()["replayed"] == 1
    client.delete("/_twin/calls")
    assert client.get("/_twin/calls").json() == []


def test_control_api_seeds_changes_and_resets(client):
    made = client.post(
        "/_twin/companies",
        json={"realm": "42", "name": "Second", "country": "CA", "taxEngine": "non_us", "settings": {"currency": "CAD"}},
    ).json()
    assert (made["settings"]["name"], made["settings"]["currency"], made["counts"]["TaxCode"]) == ("Second", "CAD", 4)
    assert client.post("/_twin/companies", json={"realm": "42", "colour": "red"}).status_code == 400
    assert client.post("/_twin/apps", json={"clientId": "x", "clientSecret": "y", "redirectUris": [REDIRECT]}).json()[
        "redirectUris"
    ] == [REDIRECT]
    assert client.post("/_twin/clock", json={"freeze": True, "set": "2026-01-01T00:00:00+00:00"}).json() == {
        "now": "2026-01-01T00:00:00+00:00",
        "frozen": True,
    }
    assert client.post("/_twin/clock", json={"advance": 60}).json()["now"] == "2026-01-01T00:01:00+00:00"
    assert client.get("/_twin/nothing").status_code == 404
    client.post("/_twin/reset")
    assert [one["realm"] for one in client.get("/_twin/companies").json()] == [REALM]
