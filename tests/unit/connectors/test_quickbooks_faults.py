"""Each code of QuickBooks' error table, in each shape."""

from __future__ import annotations

import pytest

from erp_pipelines.connectors.calling import refused_by_status
from erp_pipelines.connectors.http import Answer, Call, ErpHttp, Profile
from erp_pipelines.connectors.quickbooks.faults import CATALOGUE, RULES, THROTTLE_MARKS, faults_of, refusal
from erp_pipelines.domain import errors

WRITE = Call("invoice.create", "POST", "https://x.test/", write=True)
READ = Call("invoice.read", "GET", "https://x.test/")
CODES = """
100 110 120 130 140 150 500 600 610 620 630 700 800 900 1000 1010 1020 1040 1050 2000 2010 2020 2030 2040 2050 2060
2070 2080 2090 2100 2110 2120 2130 2140 2150 2160 2170 2180 2190 2240 2200 2210 2220 2230 2250 2260 2270 2280 2290 2300
2500 2600 3000 3001 3100 3200 3202 4000 4001 4002 5000 5010 5020 5030 6000 6010 6030 6040 6041 6050 6070 6080 6090
6100 6130 6140 6150 6160 6170 6230 6180 6190 6200 6210 6220 6240 6250 6270 6280 6290 6300 6310 6320 6330 6340 6350 6360
6370 6380 6390 6400 6420 6430 6440 6450 6460 6470 6480 6520 6540 10000 10100 10200
""".split()
SPECIAL = {
    **dict.fromkeys(("100", "110", "3200", "3202"), errors.TokenRejected),
    **dict.fromkeys(("120", "3100", "6190", "10200"), errors.ConnectionLost),
    **dict.fromkeys(("130", "140", "150", "1000", "1010", "1020"), errors.Unavailable),
    **dict.fromkeys(("600", "10000"), errors.AnswerLost),
    **dict.fromkeys(("630", "6140", "6240"), errors.NameTaken),
    "3001": errors.Throttled,
    "5010": errors.StaleVersion,
}


def upper(code: str, detail: str = "Detail", status: int = 400) -> Answer:
    error = {"Message": "Message", "Detail": detail, "code": code, "element": "Line"}
    return Answer(status, {"Fault": {"Error": [error], "type": "ValidationFault"}, "time": "x"}, request_id="1-t")


def lower(code: str, status: int = 401) -> Answer:
    error = {"message": f"message=X; errorCode=00{code}", "detail": None, "code": code, "element": None}
    return Answer(status, {"warnings": None, "fault": {"error": [error], "type": "SERVICE"}, "time": 1767225600000})


def xml(code: str, status: int = 400) -> Answer:
    error = f'<Error code="{code}" element="Id"><Message>Gone &amp; lost</Message><Detail>Why</Detail></Error>'
    return Answer(status, text=f'<?xml version="1.0"?><R><Fault type="V">{error}</Fault></R>')


@pytest.mark.parametrize("code", CODES)
def test_every_code_of_the_table_is_classified(code):
    assert code in RULES
    for answer in (upper(code), lower(code), xml(code)):
        error = refusal(WRITE, answer)
        assert type(error) is SPECIAL.get(code, errors.Rejected)
        assert error.erp_code == code
        assert error.mend or isinstance(error, errors.Throttled)


@pytest.mark.parametrize("code", CODES)
def test_refusals_have_a_cause_and_are_definitive(code):
    error = refusal(WRITE, upper(code))
    if isinstance(error, errors.Rejected):
        assert error.cause != "unknown"
        assert error.definitive


def test_the_table_has_no_code_twice_and_names_an_owner():
    assert set(CODES) == set(RULES)
    assert all(rule.owner and rule.mend for rule in RULES.values())


def test_unknown_codes_are_refusals_with_the_services_words():
    error = refusal(WRITE, upper("7777", "Something new"))
    assert isinstance(error, errors.Rejected)
    assert (error.cause, error.erp_code, error.request_id) == ("unknown", "7777", "1-t")
    assert error.message == "QuickBooks: Message: Something new [Line]"
    assert (error.unclassified, error.definitive, error.rule.owner) == (True, False, "us")


def test_words_are_not_said_twice():
    assert refusal(WRITE, upper("5010", "Message : long story")).message == "QuickBooks: Message : long story [Line]"


def test_fault_inside_a_success_is_a_refusal():
    assert isinstance(refusal(WRITE, upper("6000", status=200)), errors.Rejected)


def test_server_error_never_proves_that_nothing_was_done():
    assert isinstance(refusal(WRITE, upper("2020", status=500)), errors.AnswerLost)
    assert isinstance(refusal(READ, upper("10000", status=500)), errors.Unavailable)


def test_gateway_codes_lose_their_zeros():
    assert faults_of(lower("003100"))[0].code == "3100"


def test_the_weightiest_of_several_errors_decides():
    both = [{"code": "6240", "Message": "a"}, {"code": "2050", "Message": "b"}, {"code": "6190", "Message": "c"}]
    error = refusal(WRITE, Answer(400, {"Fault": {"Error": both}}))
    assert isinstance(error, errors.ConnectionLost)
    assert error.message == "QuickBooks: a b c"


@pytest.mark.parametrize(
    ("detail", "candidate"),
    [
        ("Another customer, vendor or employee is already using this name. Id=58", "58"),
        ("DocNumber=1001 is assigned to TxnType=Invoice with TxnId=130", "130"),
        ("Another customer is already using this name.", ""),
    ],
)
def test_taken_names_tell_by_whom(detail, candidate):
    error = refusal(WRITE, upper("6240", detail))
    assert isinstance(error, errors.NameTaken)
    assert error.candidate == candidate


@pytest.mark.parametrize(
    "answer", [Answer(200, {"Customer": {"Id": "1"}}), Answer(404, text="<html>"), Answer(401, None), Answer(200, [])]
)
def test_what_is_no_fault_is_none(answer):
    assert refusal(READ, answer) is None


def test_long_texts_are_cut():
    assert len(refusal(WRITE, upper("6000", "x" * 5000)).message) < 600


@pytest.mark.parametrize("word", ["invalid_grant", "invalid_client", "invalid_request", "unsupported_grant_type"])
def test_every_word_of_the_token_host_is_classified_at_both_of_its_doors(word):
    for part in (CATALOGUE.refresh, CATALOGUE.consent):
        assert CATALOGUE.rules(part)[word].mend


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, errors.TokenRejected),
        (403, errors.Rejected),
        (404, errors.Rejected),
        (408, errors.AnswerLost),
        (500, errors.AnswerLost),
        (502, errors.AnswerLost),
        (503, errors.AnswerLost),
        (504, errors.AnswerLost),
    ],
)
def test_a_bare_status_is_classified_and_never_proves_that_nothing_was_done(status, kind):
    http = ErpHttp(Profile("QuickBooks", ("https://x.test",), "intuit_tid", THROTTLE_MARKS))
    error = refused_by_status(http, WRITE, Answer(status, text="<html>"))
    assert type(error) is kind
    assert not getattr(error, "definitive", False)
