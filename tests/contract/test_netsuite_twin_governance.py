"""Concurrency of the NetSuite twin: how many calls an account handles at once, with real threads; and its fault dial."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.contract.netsuite_twin_support import ACCOUNT, Shop, refusal


class Held(Shop):
    """Calls stay in flight until the test lets them go: the twin's sleep is the test's."""

    def __init__(self, **config):
        self.slept, self.go, self.arrived = [], threading.Event(), threading.Semaphore(0)
        super().__init__({"latency_seconds": 1.0, **config})
        self.twin._sleep = self._hold

    def _hold(self, seconds):
        self.slept.append(seconds)
        self.arrived.release()
        assert self.go.wait(20)

    def start(self, pool, count, method="GET", path="customer", body=None):
        calls = [pool.submit(self.call, method, path, body) for _ in range(count)]
        for _ in range(min(count, 5)):
            assert self.arrived.acquire(timeout=20)
        return calls


@pytest.fixture
def held():
    return Held()


def statuses(calls):
    return sorted(call.result(20).status_code for call in calls)


def test_sixth_call_at_once_is_refused_without_retry_after(held):
    with ThreadPoolExecutor(8) as pool:
        calls = held.start(pool, 5)
        refused = held.call("GET", "customer")
        held.go.set()
        assert statuses(calls) == [200] * 5
    assert refusal(refused) == (
        429,
        "CONCURRENCY_LIMIT_EXCEEDED",
        "Concurrent request limit exceeded. Request blocked.",
    )
    assert "retry-after" not in refused.headers
    assert held.control("GET", "governance") == {
        "inFlight": {ACCOUNT: 0},
        "highest": {ACCOUNT: 5},
        "refused": {ACCOUNT: 1},
    }
    summary = held.control("GET", "calls/summary")
    assert (summary["governance"]["highest"], summary["statuses"]) == ({ACCOUNT: 5}, {"200": 5, "429": 1})
    assert held.call("GET", "customer").status_code == 200


def test_writes_in_flight_together_are_all_kept(held):
    with ThreadPoolExecutor(8) as pool:
        body = {"subsidiary": {"id": "1"}}
        calls = [pool.submit(held.call, "POST", "customer", {**body, "companyName": f"C{n}"}) for n in range(5)]
        for _ in calls:
            assert held.arrived.acquire(timeout=20)
        assert held.account.rows("customer") == [], "nothing is committed while the latency passes"
        held.go.set()
        assert statuses(calls) == [204] * 5
    assert sorted(row["id"] for row in held.account.rows("customer")) == ["101", "102", "103", "104", "105"]


def test_limit_is_the_accounts_and_shared_by_all_its_integrations(held):
    held.twin.add_account("7654321")
    other = held.twin.connect("7654321")
    held.twin.add_account(ACCOUNT, concurrency_limit=2)
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(held.call, "GET", "customer") for _ in range(2)]
        for _ in calls:
            assert held.arrived.acquire(timeout=20)
        held.token, own = other, held.token
        elsewhere = pool.submit(held.call, "GET", "customer")
        assert held.arrived.acquire(timeout=20)
        held.token = own
        assert held.call("GET", "customer").status_code == 429
        held.go.set()
        assert statuses([*calls, elsewhere]) == [200] * 3


def test_tokens_are_issued_and_pages_shown_whatever_is_in_flight(held):
    with ThreadPoolExecutor(8) as pool:
        calls = held.start(pool, 5)
        assert held.http.post("/services/rest/auth/oauth2/v1/token", data={"grant_type": "x"}).status_code == 400
        assert held.http.get("/").status_code == 200
        held.go.set()
        statuses(calls)


def test_switches_add_a_retry_after_or_disguise_the_refusal_as_a_slow_bad_login(held):
    with ThreadPoolExecutor(8) as pool:
        calls = held.start(pool, 5)
        held.twin.configure(retry_after=7)
        assert held.call("GET", "customer").headers["retry-after"] == "7"
        held.twin.configure(disguise=True, disguise_seconds=60.0)
        with pytest.raises(httpx.ReadTimeout):
            held.call("GET", "customer")
        held.twin.configure(disguise_seconds=4.0)
        assert refusal(held.call("GET", "customer"))[:2] == (401, "INVALID_LOGIN")
        held.twin.configure(govern=False)
        ungoverned = pool.submit(held.call, "GET", "customer")
        assert held.arrived.acquire(timeout=20)
        held.go.set()
        assert statuses([*calls, ungoverned]) == [200] * 6


def test_failed_logins_take_no_place(held):
    held.token = "guess"
    assert held.call("GET", "customer").status_code == 401
    assert (held.slept, held.twin.governance.summary()["highest"]) == ([], {})


def test_limits_are_read_by_an_administrator_only():
    shop = Shop(concurrency_limit=15)
    path = "/services/rest/system/v1/governanceLimits"
    assert shop.refused("GET", path)[:2] == (403, "INSUFFICIENT_PERMISSION")
    shop.token = shop.twin.connect(role="3")
    assert shop.get(path) == {
        "accountConcurrencyLimit": 15,
        "accountUnallocatedConcurrencyLimit": 15,
        "integrationLimitType": "accountLimit",
    }
    shop.token = shop.twin.connect()
    shop.twin.configure(governance_for="everyone")
    assert shop.get(path)["accountConcurrencyLimit"] == 15


# --- the fault dial ---


def new(name="A"):
    return {"companyName": name, "subsidiary": {"id": "1"}}


@pytest.mark.parametrize(
    ("fault", "kept"), [("drop_before_commit", 0), ("drop_after_commit", 1), ("truncated_body", 1)]
)
def test_broken_connections_lose_the_write_or_only_its_answer(fault, kept):
    shop = Shop()
    shop.twin.add_fault(fault)
    with pytest.raises(httpx.RemoteProtocolError):
        shop.call("POST", "customer", new())
    assert len(shop.account.rows("customer")) == kept
    assert shop.twin.calls.since()[-1].fault == fault


def test_gateway_trouble_is_html():
    shop = Shop()
    shop.twin.add_fault("status", status=502, operation="create", entity="customer")
    assert shop.call("GET", "customer").status_code == 200
    answer = shop.call("POST", "customer", new())
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html;charset=UTF-8")
    assert shop.account.rows("customer") == []
    shop.twin.add_fault("status", status=500, after_commit=True)
    assert shop.call("POST", "customer", new()).status_code == 500
    assert len(shop.account.rows("customer")) == 1


def test_slow_write_times_out_and_is_committed_when_its_time_comes():
    shop = Shop()
    shop.twin.add_fault("slow", seconds=30)
    with pytest.raises(httpx.ReadTimeout):
        shop.call("POST", "customer", new())
    assert shop.account.rows("customer") == []
    shop.clock.advance(30)
    shop.twin.run_late()
    assert [row["companyName"] for row in shop.account.rows("customer")] == ["A"]
    assert [(call.status, call.fault) for call in shop.twin.calls.since()] == [(0, "slow"), (204, "late")]


def test_slow_call_that_its_caller_gave_up_still_holds_its_place():
    shop = Shop(concurrency_limit=1)
    shop.twin.add_fault("slow", seconds=30)
    with pytest.raises(httpx.ReadTimeout):
        shop.call("POST", "customer", new())
    assert shop.call("GET", "customer").status_code == 429
    shop.clock.advance(30)
    assert shop.get("customer")["totalResults"] == 1


def test_status_faults_speak_as_the_service_does():
    shop = Shop()
    for status, code in (
        (500, "UNEXPECTED_ERROR"),
        (503, "UNEXPECTED_ERROR"),
        (401, "INVALID_LOGIN"),
        (404, "NONEXISTENT_ID"),
    ):
        shop.twin.add_fault("status", status=status)
        assert shop.refused("GET", "customer")[:2] == (status, code)


def test_throttle_fault_is_the_accounts_429_and_stale_is_another_user_first():
    shop = Shop()
    shop.customer()
    shop.twin.add_fault("xml_throttle")
    assert shop.refused("GET", "customer")[:2] == (429, "CONCURRENCY_LIMIT_EXCEEDED")
    shop.twin.add_fault("stale", operation="update")
    shop.patch("customer/101", {"phone": "1"})
    assert [(row["operation"], row["source"]) for row in shop.account.history] == [
        ("Create", "api"),
        ("Update", "person"),
        ("Update", "api"),
    ]


def test_faults_match_the_account_and_the_type():
    shop = Shop()
    shop.twin.add_fault("status", realm="7654321", times=None)
    shop.twin.add_fault("status", entity="salesOrder", times=None)
    assert shop.call("GET", "customer").status_code == 200
    assert shop.call("GET", "salesOrder").status_code == 503
    shop.twin.clear_faults()
    assert shop.call("GET", "salesOrder").status_code == 200
