"""What becomes of every way in which a call can go."""

from __future__ import annotations

import datetime as dt
import gc
import inspect
import logging
from decimal import Decimal

import httpx
import pytest

from erp_pipelines.connectors.calling import retry_after
from erp_pipelines.connectors.http import LOST, MEANING, UNSENT, Call, ErpHttp, NotSent, decode, encode
from erp_pipelines.domain import errors
from tests.unit.connectors.connector_support import BASE, PROFILE, answer, fault, line, ok

READ = Call("thing.read", "GET", f"{BASE}/thing", repeatable=True, params={"query": "secret words"})
WRITE = Call("thing.create", "POST", f"{BASE}/thing", write=True, repeatable=True, body=b'{"name": "private"}')
ONCE = Call("thing.create", "POST", f"{BASE}/thing", write=True, body=b"{}")

EXCEPTIONS = sorted(
    (
        kind
        for _, kind in inspect.getmembers(httpx, inspect.isclass)
        if issubclass(kind, Exception) and kind.__module__ == "httpx"
    ),
    key=lambda kind: kind.__name__,
)
XML_THROTTLE = (
    '<?xml version="1.0"?><IntuitResponse><Fault type="SERVICE"><Error code="3001"><Message>message=ThrottleExceeded; '
    "errorCode=003001; statusCode=429</Message></Error></Fault></IntuitResponse>"
)


def raised(kind: type[Exception]) -> Exception:
    if kind is httpx.HTTPStatusError:
        return kind("x", request=httpx.Request("GET", BASE), response=httpx.Response(500))
    return (
        kind()
        if kind in {httpx.StreamConsumed, httpx.StreamClosed, httpx.ResponseNotRead, httpx.RequestNotRead}
        else kind("x")
    )


# --- exceptions of the library ---


@pytest.mark.parametrize("kind", EXCEPTIONS)
def test_every_exception_of_httpx_is_in_the_table(kind):
    assert kind in MEANING


@pytest.mark.parametrize("kind", EXCEPTIONS)
def test_exception_becomes_what_the_table_says(kind):
    unsent = MEANING[kind] == UNSENT
    with pytest.raises(errors.Transient) as read:
        line(raised(kind)).http.exchange(READ)
    with pytest.raises(errors.Transient) as write:
        line(raised(kind)).http.exchange(ONCE)
    assert type(read.value) is (NotSent if unsent else errors.Unavailable)
    assert type(write.value) is (NotSent if unsent else errors.AnswerLost)
    assert kind.__name__ in str(write.value)


def test_table_speaks_of_two_meanings_only():
    assert set(MEANING.values()) == {UNSENT, LOST}


# --- answers ---


@pytest.mark.parametrize("status", [301, 302, 307, 408, 500, 502, 503, 504])
@pytest.mark.parametrize("body", [{"message": "no"}, "<html>Bad gateway</html>"])
def test_status_that_proves_nothing_leaves_a_write_in_doubt(status, body):
    with pytest.raises(errors.AnswerLost) as lost:
        line(answer(status, body)).caller.call(ONCE)
    assert lost.value.request_id == "1-abc"
    with pytest.raises(errors.Unavailable):
        line(answer(status, body)).caller.call(READ)


def test_redirects_are_not_followed():
    there = line(answer(302, "", location="https://elsewhere.example.test/"))
    with pytest.raises(errors.AnswerLost):
        there.caller.call(ONCE)
    assert [request.url.host for request in there.provider.requests] == ["erp.example.test"]


@pytest.mark.parametrize(
    "spoilt",
    [
        httpx.Response(200, headers={"content-type": "text/html"}, content=b'{"ok": true}'),
        httpx.Response(200, headers={"content-type": "application/json"}, content=b'{"ok": tr'),
        httpx.Response(200, headers={"content-type": "application/json"}, content=b'{"ok": NaN}'),
        httpx.Response(200, headers={"content-type": "application/json"}, content=b""),
    ],
)
def test_success_that_is_no_json_is_an_answer_lost(spoilt):
    with pytest.raises(errors.AnswerLost):
        line(spoilt).caller.call(ONCE)


def test_answer_longer_than_allowed_is_an_answer_lost():
    big = ErpHttp(
        type(PROFILE)("QuickBooks", (BASE,), max_answer_bytes=10),
        transport=httpx.MockTransport(lambda _: httpx.Response(200, json={"a": "b" * 100})),
    )
    with pytest.raises(errors.AnswerLost, match="longer than 10 bytes"):
        big.exchange(ONCE)


def test_refusal_without_a_reason_proves_nothing_of_an_earlier_try():
    with pytest.raises(errors.Rejected) as refused:
        line(answer(418, "no tea")).caller.call(WRITE)
    assert (refused.value.cause, refused.value.definitive, refused.value.erp_code) == ("unknown", False, "418")


def test_refusal_without_a_reason_after_a_lost_answer_leaves_the_write_in_doubt():
    there = line(httpx.ReadTimeout("no answer"), answer(418, "no tea"))
    with pytest.raises(errors.AnswerLost, match=r"went unanswered, and then: .*refused with HTTP 418"):
        there.caller.call(WRITE)
    assert len(there.provider.requests) == 2


def test_refusal_with_the_provider_s_reason_settles_a_write_that_went_unanswered():
    there = line(httpx.ReadTimeout("no answer"), fault("6140"))
    with pytest.raises(errors.Rejected):
        there.caller.call(WRITE)
    assert len(there.provider.requests) == 2


def test_addresses_that_are_not_configured_are_refused():
    with pytest.raises(errors.SettingsInvalid):
        line(ok()).http.exchange(Call("x", "GET", "https://erp.example.test.evil.test/thing"))


# --- throttles ---


@pytest.mark.parametrize(
    "refused",
    [
        answer(429, {}),
        answer(429, XML_THROTTLE),
        answer(403, XML_THROTTLE),
        answer(403, {"fault": {"error": [{"message": "message=ThrottleExceeded; errorCode=003001", "code": "3001"}]}}),
        fault("3001", status=200),
    ],
)
def test_throttles_are_told_by_status_or_body(refused):
    there = line(refused)
    with pytest.raises(errors.Throttled) as pause:
        there.caller.call(WRITE)
    assert pause.value.retry_after == 60
    assert len(there.provider.requests) == 1
    assert there.counts.throttled == 1


def test_data_that_looks_like_a_throttle_is_none():
    body = {"Customer": {"DisplayName": "errorCode=003001 ThrottleExceeded"}}
    there = line(ok(body))
    assert there.caller.call(READ).body == body
    assert there.counts.throttled == 0


def test_short_throttle_is_sat_out_once():
    there = line(answer(429, {}, retry_after="2"), ok())
    there.caller.call(ONCE)
    assert there.clock.slept == [2]
    with pytest.raises(errors.Throttled):
        line(answer(429, {}, retry_after="2")).caller.call(ONCE)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        ("0", 1),
        ("86400", 300),
        ("Mon, 02 Mar 2026 09:00:30 GMT", 30),
        ("Mon, 02 Mar 2026 08:00:00 GMT", 1),
        ("", 60),
        ("soon", 60),
        ("-5", 60),
    ],
)
def test_retry_after_is_read_and_held_within_reason(header, seconds):
    assert retry_after(header, dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)) == seconds


# --- repeats ---


def test_repeatable_calls_are_repeated_twice_with_jitter():
    there = line(httpx.ReadTimeout("x"), answer(502, "<html>"), ok())
    assert there.caller.call(WRITE).body == {"ok": True}
    assert there.clock.slept == [0.75, 1.5]
    assert there.pace.waits == 3
    assert there.pace.heard == ["failed", "failed", "answered"]
    assert (there.counts.writes, there.counts.reads, there.counts.by_kind) == (3, 0, {"thing.create": 3})


def test_third_failure_ends_it():
    there = line(httpx.ReadTimeout("x"))
    with pytest.raises(errors.AnswerLost):
        there.caller.call(WRITE)
    assert len(there.provider.requests) == 3


def test_write_without_a_key_is_never_repeated():
    there = line(httpx.ReadTimeout("x"), ok())
    with pytest.raises(errors.AnswerLost):
        there.caller.call(ONCE)
    assert len(there.provider.requests) == 1


def test_call_that_never_left_is_repeated_and_not_counted():
    there = line(httpx.ConnectError("x"), ok())
    there.caller.call(ONCE)
    assert there.counts.writes == 1


@pytest.mark.parametrize(
    "after", [httpx.ConnectError("x"), answer(429, {}), answer(401, {}), fault("3100", status=403), fault("140")]
)
def test_doubt_stays_whatever_fails_next(after):
    with pytest.raises(errors.AnswerLost):
        line(httpx.ReadTimeout("x"), after).caller.call(WRITE)


def test_refusal_after_a_lost_answer_is_a_refusal():
    with pytest.raises(errors.Rejected):
        line(httpx.ReadTimeout("x"), fault("6200")).caller.call(WRITE)


# --- tokens ---


def test_refused_token_is_renewed_once():
    there = line(answer(401, {}), ok())
    there.caller.call(WRITE)
    assert there.tokens.rejected == ["token-1"]
    assert [request.headers["authorization"] for request in there.provider.requests] == [
        "Bearer token-1",
        "Bearer token-2",
    ]


def test_second_refusal_means_a_lost_connection():
    there = line(answer(401, {}))
    with pytest.raises(errors.ConnectionLost, match="Reconnect QuickBooks"):
        there.caller.call(WRITE)
    assert len(there.provider.requests) == 2


# --- what is sent, and what is told ---


def test_requests_say_who_asks_and_what_they_want():
    there = line(ok())
    there.caller.call(READ)
    request = there.provider.requests[0]
    assert request.headers["user-agent"] == "erp-pipelines"
    assert request.headers["accept"] == "application/json"
    assert request.url.raw_path == b"/thing?query=secret%20words"
    assert request.extensions["timeout"] == {"connect": 10, "read": 60, "write": 60, "pool": 10}


def test_writes_are_waited_for_longer_than_the_server_works():
    there = line(ok())
    there.caller.call(WRITE)
    assert there.provider.requests[0].extensions["timeout"]["read"] == 130


@pytest.mark.parametrize("step", [httpx.ReadTimeout("token-1 private"), answer(500, "private"), answer(418, "private")])
def test_nothing_private_is_told(step, caplog):
    with caplog.at_level(logging.DEBUG), pytest.raises(errors.ErpError) as error:
        line(step).caller.call(WRITE)
    with caplog.at_level(logging.DEBUG):
        line(ok()).caller.call(READ)
    told = caplog.text + str(error.value) + repr(error.value) + repr(WRITE) + repr(READ)
    assert not any(word in told for word in ("token-1", "private", "secret"))
    assert error.value.__suppress_context__ or error.value.__context__ is None


def test_decimals_travel_as_numbers():
    value = {"a": Decimal("12.50"), "b": [Decimal("1E+2"), 3, None, True, "ö\"'"], "c": {}}
    assert encode(value) == '{"a":12.50,"b":[100,3,null,true,"ö\\"\'"],"c":{}}'.encode()
    assert decode('{"a": 0.1}') == {"a": Decimal("0.1")}
    assert decode("nonsense") is None


def test_connections_close_with_their_owner():
    http = ErpHttp(PROFILE)
    client = http._client
    del http
    gc.collect()
    assert client.is_closed
