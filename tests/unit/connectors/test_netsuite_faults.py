"""Each refusal of NetSuite that the reference knows, by code and by what it points at, in any language."""

from __future__ import annotations

import pytest

from erp_pipelines.connectors.calling import refused_by_status, throttled
from erp_pipelines.connectors.http import Answer, Call, ErpHttp, Profile
from erp_pipelines.connectors.netsuite.faults import RULES, THROTTLE_MARKS, refusal
from erp_pipelines.domain import errors
from tests.support.clock import START

WRITE = Call("salesOrder.upsert", "PUT", "https://x.test/", write=True)
READ = Call("suiteql", "POST", "https://x.test/")
PROFILE = Profile("NetSuite", (), "x-n-operationid", THROTTLE_MARKS, pause_seconds=2)


def refused(status: int, code: str, detail: str = "Something.", **pointer: str) -> Answer:
    error = {"detail": detail, "o:errorCode": code, **{f"o:{name}": value for name, value in pointer.items()}}
    body = {"type": "https://www.rfc-editor.org/rfc/rfc9110.html", "title": "T", "status": status, "o:errorDetails": [error]}  # fmt: skip
    return Answer(status, body, request_id="op-1")


QUERY = {"errorQueryParam": "q"}
UNPROCESSED = "Invalid search query. Detailed unprocessed description follows. "
TABLE = [
    (refused(400, "INVALID_CONTENT", "Invalid content in the request body."), errors.Rejected, "bug", "us"),
    (refused(400, "INVALID_CONTENT", errorPath="item.items[0].item"), errors.Rejected, "reference", "bookkeeper"),
    (refused(400, "INVALID_REQUEST"), errors.Rejected, "bug", "us"),
    (refused(400, "INVALID_PARAMETER", errorQueryParam="limit"), errors.Rejected, "bug", "us"),
    (refused(400, "INVALID_PARAMETER", UNPROCESSED + "Search error occurred: Unknown identifier 'x'. Available identifiers are: {a=a}", **QUERY), errors.Rejected, "bug", "us"),
    (refused(400, "INVALID_PARAMETER", UNPROCESSED + "Invalid search type: x.", **QUERY), errors.Rejected, "permission", "admin"),
    (refused(400, "INVALID_PARAMETER", UNPROCESSED + "Search error occurred: Record 'x' was not found.", **QUERY), errors.Rejected, "permission", "admin"),
    (refused(400, "INVALID_PARAMETER", UNPROCESSED + "Search error occurred: Invalid or unsupported search", **QUERY), errors.Rejected, "bug", "us"),
    (refused(400, "NONEXISTENT_FIELD", errorQueryParam="q"), errors.Rejected, "bug", "us"),
    (refused(400, "INVALID_HEADER", errorHeader="Accept-Language"), errors.Rejected, "language", "admin"),
    (refused(400, "INVALID_HEADER", errorHeader="Prefer"), errors.Rejected, "bug", "us"),
    (refused(400, "INVALID_URL", errorUrl="/x"), errors.Rejected, "bug", "us"),
    (refused(400, "USER_ERROR", "Error while accessing a resource. Please enter value(s) for: Subsidiary."), errors.Rejected, "missing-value", "admin"),
    (refused(400, "USER_ERROR", "Error while accessing a resource. This entity already exists."), errors.NameTaken, "name-taken", "bookkeeper"),
    (refused(400, "USER_ERROR", "Your current role does not have permission to perform this action."), errors.Rejected, "permission", "admin"),
    (refused(400, "USER_ERROR", "This record is locked by a workflow."), errors.Rejected, "locked", "bookkeeper"),
    (refused(400, "USER_ERROR", "The posting period of this transaction is closed."), errors.Rejected, "closed-period", "bookkeeper"),
    (refused(400, "USER_ERROR", "Record has been changed."), errors.StaleVersion, "stale-version", "bookkeeper"),
    (refused(400, "USER_ERROR", "Si prega di immettere i valori per: Consociata."), errors.Rejected, "business-rule", "bookkeeper"),
    (refused(400, "IDEMPOTENCY_ERROR"), errors.AnswerLost, "duplicate-request", "us"),
    (refused(401, "INVALID_LOGIN"), errors.TokenRejected, "token", "admin"),
    (refused(401, "INVALID_LOGIN_ATTEMPT"), errors.TokenRejected, "token", "admin"),
    (refused(403, "INSUFFICIENT_PERMISSION"), errors.Rejected, "permission", "admin"),
    (refused(404, "NONEXISTENT_ID"), errors.Rejected, "not-found", "bookkeeper"),
    (refused(405, "INVALID_METHOD"), errors.Rejected, "bug", "us"),
    (refused(500, "UNEXPECTED_ERROR", "An unexpected error occurred. Error ID: abc"), errors.AnswerLost, "application-error", "provider"),
    (refused(400, "DUP_ENTITY"), errors.NameTaken, "name-taken", "bookkeeper"),
    (refused(400, "DUP_RCRD"), errors.NameTaken, "name-taken", "bookkeeper"),
    (refused(400, "DUP_ITEM"), errors.NameTaken, "name-taken", "bookkeeper"),
    (refused(400, "UNIQUE_CUST_ID_REQD"), errors.NameTaken, "name-taken", "bookkeeper"),
    (refused(400, "INVALID_KEY_OR_REF"), errors.Rejected, "reference", "bookkeeper"),
    (refused(400, "RCRD_HAS_BEEN_CHANGED"), errors.StaleVersion, "stale-version", "bookkeeper"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "kind", "cause", "owner"), TABLE)
def test_every_refusal_of_the_reference_is_classified(answer, kind, cause, owner):
    error = refusal(WRITE, answer)
    assert type(error) is kind
    assert (error.rule.cause, error.rule.owner) == (cause, owner)
    assert error.mend
    assert error.request_id == "op-1"
    assert not error.unclassified


def test_a_code_that_says_little_settles_no_doubt():
    assert not refusal(WRITE, refused(400, "USER_ERROR", "Immettere i valori.")).definitive
    assert refusal(WRITE, refused(400, "USER_ERROR", "Please enter value(s) for: X.")).definitive
    assert refusal(WRITE, refused(403, "INSUFFICIENT_PERMISSION")).definitive


def test_unknown_codes_are_refusals_with_netsuites_words():
    error = refusal(WRITE, refused(400, "BRAND_NEW", "Something new.", errorPath="memo"))
    assert isinstance(error, errors.Rejected)
    assert (error.cause, error.erp_code, error.message) == ("unknown", "BRAND_NEW", "NetSuite: Something new. [memo]")
    assert (error.unclassified, error.definitive) == (True, False)


def test_server_error_never_proves_that_nothing_was_done():
    assert isinstance(refusal(WRITE, refused(500, "USER_ERROR", "Please enter value(s) for: X.")), errors.AnswerLost)
    assert isinstance(refusal(READ, refused(500, "UNEXPECTED_ERROR")), errors.Unavailable)


def test_the_weightiest_of_several_errors_decides():
    body = {"o:errorDetails": [{"detail": "a", "o:errorCode": "USER_ERROR"}, {"detail": "b", "o:errorCode": "INVALID_LOGIN"}]}  # fmt: skip
    error = refusal(WRITE, Answer(400, body))
    assert isinstance(error, errors.TokenRejected)
    assert error.message == "NetSuite: a b"


def test_old_bodies_have_the_error_at_their_top():
    assert refusal(WRITE, Answer(404, {"title": "Gone", "o:errorCode": "NONEXISTENT_ID"})).rule.cause == "not-found"


def test_pointer_is_read_under_either_of_its_names():
    for name in ("errorUrl", "urlPath"):
        assert refusal(WRITE, refused(400, "INVALID_URL", "No.", **{name: "/x"})).message == "NetSuite: No. [/x]"


@pytest.mark.parametrize(
    "answer",
    [Answer(200, {"items": []}), Answer(204), Answer(404, {"title": "x"}), Answer(502, text="<html>"), Answer(400, {"o:errorDetails": "x"})],
)  # fmt: skip
def test_what_is_no_error_of_netsuite_is_none(answer):
    assert refusal(READ, answer) is None


@pytest.mark.parametrize(
    "answer",
    [
        Answer(429, {"o:errorDetails": [{"o:errorCode": "CONCURRENCY_LIMIT_EXCEEDED", "detail": "Busy"}]}, text="x"),
        Answer(429, text="malformed { json"),
        Answer(400, {}, text='{"error":{"code":"SSS_REQUEST_LIMIT_EXCEEDED"}}'),
        Answer(500, {}, text="WS_CONCUR_SESSION_DISALLWD"),
    ],
)
def test_too_many_at_once_in_all_its_forms_is_a_short_pause(answer):
    pause = throttled(ErpHttp(PROFILE), answer, START)
    assert isinstance(pause, errors.Throttled)
    assert pause.retry_after == 2


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, errors.TokenRejected),
        (404, errors.Rejected),
        (500, errors.AnswerLost),
        (502, errors.AnswerLost),
        (503, errors.AnswerLost),
        (504, errors.AnswerLost),
    ],
)
def test_a_page_of_html_is_classified_by_its_status(status, kind):
    error = refused_by_status(ErpHttp(PROFILE), WRITE, Answer(status, text="<html>Maintenance</html>"))
    assert type(error) is kind


def test_every_rule_has_an_owner_and_a_mend():
    assert all(rule.owner and rule.mend for rule in RULES.values())


def test_long_texts_are_cut():
    assert len(refusal(WRITE, refused(400, "USER_ERROR", "x" * 5000)).message) < 600
