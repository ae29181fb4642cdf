"""Calls to a scripted NetSuite: ids from locations, sublists, dropped fields, overload in disguise, versions."""

from __future__ import annotations

import json
import threading
from contextlib import nullcontext
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from erp_pipelines.connectors.netsuite.pushing import Form, updated
from erp_pipelines.connectors.netsuite.traffic import Traffic
from erp_pipelines.connectors.netsuite.wire import CustomerDoc, RecordDoc, SaleDoc
from erp_pipelines.connectors.netsuite.zones import Sample, Zone, zone_of
from erp_pipelines.domain import errors
from tests.support.clock import START, FakeClock
from tests.unit.connectors.connector_support import answer
from tests.unit.connectors.netsuite_support import HOST, client

RECORD = f"{HOST}/services/rest/record/v1"


def done(status: int = 204, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers={name.replace("_", "-"): value for name, value in headers.items()})


def refused(status: int, code: str, detail: str = "No.") -> httpx.Response:
    return answer(status, {"o:errorDetails": [{"detail": detail, "o:errorCode": code}]})


def asked(request: httpx.Request) -> tuple[str, str, dict[str, str]]:
    url = urlsplit(str(request.url))
    params = {name: values[0] for name, values in parse_qs(url.query).items()}
    return request.method, f"{url.scheme}://{url.netloc}{url.path}", params


# --- writes ---


@pytest.mark.parametrize(
    "location",
    [
        f"{RECORD}/salesOrder/42",
        "http://elsewhere.example.test/services/rest/record/v1/salesorder/42",
        "/services/rest/record/v1/salesOrder/42/",
        "/services/rest/record/v1/salesOrder/42?x=1",
    ],
)
@pytest.mark.parametrize("status", [200, 201, 204])
def test_id_of_a_new_record_is_the_last_part_of_its_location_which_is_not_followed(location, status):
    netsuite, desk = client(done(status, location=location, x_n_operationid="op-7"))
    assert netsuite.create("salesOrder", {"memo": "x"}) == ("42", "op-7")
    assert [asked(request) for request in desk.provider.requests] == [("POST", f"{RECORD}/salesOrder", {})]


@pytest.mark.parametrize("location", ["", "/services/rest/async/v1/job/x"])
def test_create_that_does_not_tell_its_id_may_have_happened(location):
    with pytest.raises(errors.AnswerLost, match="where the new record is"):
        client(done(location=location))[0].create("salesOrder", {})


def test_upsert_goes_by_external_id_and_replaces_sublists():
    netsuite, desk = client(done())
    netsuite.upsert("salesOrder", "shop-order-1", {"item": {"items": []}}, ("item", "taxDetails"))
    (request,) = desk.provider.requests
    assert asked(request) == ("PUT", f"{RECORD}/salesOrder/eid:shop-order-1", {"replace": "item,taxDetails"})
    assert request.headers["x-netsuite-propertynamevalidation"] == "error"
    assert json.loads(request.content) == {"item": {"items": []}}


def test_lost_upsert_is_repeated_and_a_lost_create_is_not():
    netsuite, desk = client(httpx.ReadTimeout("x"), done())
    netsuite.upsert("customer", "shop-customer-1", {})
    assert len(desk.provider.requests) == 2
    netsuite, desk = client(httpx.ReadTimeout("x"), done())
    with pytest.raises(errors.AnswerLost):
        netsuite.create("customer", {})
    assert len(desk.provider.requests) == 1
    careful, desk = client(httpx.ReadTimeout("x"), done(), upsert_is_repeatable=False)
    with pytest.raises(errors.AnswerLost):
        careful.upsert("customer", "shop-customer-1", {})
    assert len(desk.provider.requests) == 1


def test_part_that_was_dropped_with_a_note_is_told():
    netsuite, _ = client(done(x_netsuite_propertyvalidation="custbody_x"))
    with pytest.raises(errors.Rejected, match="without: custbody_x") as dropped:
        netsuite.update("salesOrder", "1", {"custbody_x": 1})
    assert (dropped.value.cause, dropped.value.definitive) == ("field-dropped", False)


def test_nothing_goes_to_another_host():
    netsuite, desk = client(done(302, location="https://evil.example.test/services/rest/record/v1/customer/1"))
    with pytest.raises(errors.AnswerLost):
        netsuite.create("customer", {})
    assert {urlsplit(str(request.url)).netloc for request in desk.provider.requests} == {urlsplit(HOST).netloc}


# --- reads ---


def test_record_that_is_not_there_is_none():
    netsuite, desk = client(refused(404, "NONEXISTENT_ID"))
    assert netsuite.find(RecordDoc, "customer", "eid:x", ("entityId",)) is None
    assert asked(desk.provider.requests[0]) == ("GET", f"{RECORD}/customer/eid:x", {"fields": "id,entityId"})
    with pytest.raises(errors.Rejected):
        client(refused(403, "INSUFFICIENT_PERMISSION"))[0].find(RecordDoc, "customer", "1")


def test_old_and_new_forms_of_references_are_read():
    for status in ("B", {"id": "B", "refName": "Pending Fulfillment"}):
        body = {"id": "1", "status": status, "total": 12.5, "lastModifiedDate": "2026-03-02T09:00:00Z"}
        doc = client(answer(200, body))[0].read(SaleDoc, "salesOrder", "1")
        assert (doc.status, str(doc.total), doc.stamp) == ("B", "12.5", "2026-03-02T09:00:00+00:00")


def test_answer_of_another_shape_is_no_answer():
    with pytest.raises(errors.Unavailable, match="not what was asked for"):
        client(answer(200, {"items": []}))[0].read(SaleDoc, "salesOrder", "1")


def page(*rows, more=False):
    return answer(200, {"items": [{"links": [], **row} for row in rows], "hasMore": more, "count": len(rows)})


def test_suiteql_is_a_post_that_may_be_repeated_and_names_are_normalised():
    netsuite, desk = client(httpx.ReadTimeout("x"), page({"ID": "1", "externalId": None, "isinactive": "F"}))
    assert netsuite.query("SELECT 1", ("a",)) == ({"id": "1", "isinactive": "F"},)
    request = desk.provider.requests[-1]
    assert request.headers["prefer"] == "transient"
    assert asked(request)[2] == {"limit": "1000", "offset": "0"}
    assert json.loads(request.content) == {"q": "SELECT 1", "params": ["a"]}
    assert (desk.counts.reads, desk.counts.writes) == (2, 0)


def test_pages_go_on_while_there_are_more():
    full = page(*({"id": str(n)} for n in range(1000)), more=True)
    netsuite, desk = client(full, page({"id": "1000"}))
    assert len(netsuite.query_all("SELECT id FROM customer ORDER BY id")) == 1001
    assert [asked(request)[2]["offset"] for request in desk.provider.requests] == ["0", "1000"]


def test_at_most_a_thousand_ids_stand_in_one_list_and_no_text_among_them():
    netsuite, desk = client(page())
    netsuite.by_ids("SELECT id FROM item WHERE id IN ({ids}) ORDER BY id", [*map(str, range(1, 1502)), "x'", "1"])
    first, second = (json.loads(request.content)["q"] for request in desk.provider.requests)
    assert (first.count(",") + 1, second.count(",") + 1) == (1000, 501)
    assert "x" not in first.partition("IN")[2] + second.partition("IN")[2]
    assert netsuite.by_ids("SELECT {ids}", []) == ()
    assert len(desk.provider.requests) == 2


# --- versions ---


def test_record_that_somebody_saved_meanwhile_is_changed_over_what_stands_now():
    stands = [answer(200, {"id": "1", "entityId": name}) for name in ("old", "new", "kept")]
    netsuite, desk = client(stands[0], refused(400, "RCRD_HAS_BEEN_CHANGED"), stands[1], done(), stands[2])
    seen: list[str] = []

    def body(doc):
        seen.append(doc.entity_id)
        return {"phone": "1"}

    kept = updated(netsuite, Form(CustomerDoc, "customer", ("entityId",)), "1", body)
    assert (seen, kept.doc.entity_id) == (["old", "new"], "kept")
    assert [request.method for request in desk.provider.requests] == ["GET", "PATCH", "GET", "PATCH", "GET"]


def test_field_that_the_role_may_not_write_is_missed():
    there = answer(200, {"id": "1", "entityId": "A"})
    netsuite, _ = client(there, done(), there)
    form = Form(CustomerDoc, "customer", ("entityId",), watched=("custentity_x",))
    with pytest.raises(errors.Rejected, match="without: custentity_x") as dropped:
        updated(netsuite, form, "1", lambda _: {"custentity_x": "web"})
    assert dropped.value.cause == "field-dropped"


# --- a login that is refused ---

LOGIN = refused(401, "INVALID_LOGIN")


def test_refused_login_of_a_lone_call_is_renewed_once_and_then_for_a_person():
    netsuite, desk = client(LOGIN, page())
    netsuite.query("SELECT 1")
    assert desk.tokens.rejected == ["token-1"]
    netsuite, desk = client(LOGIN)
    with pytest.raises(errors.ConnectionLost):
        netsuite.query("SELECT 1")
    assert len(desk.provider.requests) == 2


def test_refused_login_beside_others_is_an_overload():
    """The second call is refused while the first is still under way."""
    inside, leave = threading.Event(), threading.Event()

    def slow(_):
        inside.set()
        assert leave.wait(20)
        return page()

    netsuite, desk = client(slow, LOGIN, LOGIN, page())
    beside = threading.Thread(target=netsuite.query, args=("SELECT 1",))
    beside.start()
    assert inside.wait(20)
    netsuite.query("SELECT 2")
    leave.set()
    beside.join()
    assert desk.tokens.rejected == ["token-1"]
    assert desk.clock.slept == [2]
    assert "throttled" in desk.pace.heard


class Beat(FakeClock):
    """Each look takes a minute."""

    def now(self):
        self.advance(60)
        return self.moment


class Pace:
    def turn(self):
        return nullcontext()


def test_slow_refusals_are_excused_a_few_times_only():
    traffic = Traffic(Pace(), Beat(), slow_seconds=10)
    said = []
    for _ in range(8):
        with traffic.turn():
            pass
        said.append(traffic.overloaded())
    assert said == [False, True, False, True, False, True, False, False]
    traffic.let_in()
    with traffic.turn():
        pass
    assert [traffic.overloaded(), traffic.overloaded()] == [False, True]


def test_quick_refusals_of_a_lone_call_are_no_overload():
    traffic = Traffic(Pace(), FakeClock(), slow_seconds=10)
    with traffic.turn():
        pass
    assert [traffic.overloaded(), traffic.overloaded()] == [False, False]


# --- time zones ---


def sample(utc: str, shown: str) -> Sample:
    return Sample(START.fromisoformat(f"{utc}+00:00"), START.fromisoformat(shown))


@pytest.mark.parametrize(
    ("samples", "zone"),
    [
        ([], Zone("America/Los_Angeles", proven=False)),
        ([sample("2026-01-05T12:00:00", "2026-01-05T04:00:00")], Zone("America/Los_Angeles", proven=False)),
        (
            [
                sample("2026-01-05T12:00:00", "2026-01-05T04:00:00"),
                sample("2026-07-05T12:00:00", "2026-07-05T05:00:00"),
            ],
            Zone("America/Los_Angeles", proven=True),
        ),
        (
            [
                sample("2026-01-05T12:00:00", "2026-01-05T05:00:00"),
                sample("2026-07-05T12:00:00", "2026-07-05T05:00:00"),
            ],
            Zone("America/Phoenix", proven=True),
        ),
        ([sample("2026-07-05T12:00:00", "2026-07-05T17:30:00")], Zone("Asia/Kolkata", proven=False)),
        ([sample("2026-07-05T12:00:00", "2026-07-05T05:00:07")], Zone("America/Los_Angeles", proven=False)),
        ([sample("2026-07-05T12:00:00", "2026-07-05T21:45:00")], Zone("America/Los_Angeles", proven=False)),
    ],
)
def test_zone_is_the_first_that_fits(samples, zone):
    assert zone_of(samples, "America/Los_Angeles") == zone
