"""Personal data in stored payloads: hidden by field and by looks; what a document is found by stays."""

from __future__ import annotations

import pytest

from erp_pipelines.security.personal import HIDDEN, hide, hide_in_text, is_personal, personal_words
from erp_pipelines.security.redaction import MASK

CARD = "4111 1111 1111 1111"


@pytest.mark.parametrize(
    "name",
    [
        "email", "PrimaryEmailAddr", "FreeFormNumber", "phone", "altPhone", "homePhone", "mobile", "Fax", "Line1", "addr2", "addressee",
        "City", "zip", "PostalCode", "GivenName", "lastName", "ccNumber", "Lat", "addrPhone", "billAddress",
    ],
)  # fmt: skip
def test_fields_of_a_person(name: str) -> None:
    assert is_personal(name)
    assert hide({name: "somebody's"}) == {name: HIDDEN}


@pytest.mark.parametrize(
    "name", ["DisplayName", "companyName", "Country", "CountrySubDivisionCode", "state", "DocNumber", "Line", "value", "Amount",
             "externalId", "cityTax"],
)  # fmt: skip
def test_what_a_document_is_found_by_stays(name: str) -> None:
    assert hide({name: "Corner Shop"}) == {name: "Corner Shop"}


def test_addresses_keep_what_taxes_hang_on() -> None:
    address = {"Id": "7", "Line1": "1 Made-up Lane", "City": "Nowhere", "Country": "US", "CountrySubDivisionCode": "CA"}
    hidden = {"Id": "7", "Line1": HIDDEN, "City": HIDDEN, "Country": "US", "CountrySubDivisionCode": "CA"}
    assert hide({"BillAddr": address, "Line": [{"Amount": 5}]}) == {"BillAddr": hidden, "Line": [{"Amount": 5}]}


def test_looks_tell_where_no_name_does() -> None:
    assert hide_in_text("Duplicate of ann@example.com, sorry") == f"Duplicate of {HIDDEN}, sorry"
    assert hide_in_text(f"paid with {CARD}") == f"paid with {HIDDEN}"
    assert hide({"PrivateNote": "ask ann+shop@mail.example.com"}) == {"PrivateNote": f"ask {HIDDEN}"}


def test_numbers_that_are_no_cards_stay() -> None:
    for number in ("4111 1111 1111 1112", "9341453122290301", "2026-11-27 10:00:00", "1-65f0a1b2-4111111111111111"):
        assert hide_in_text(number) == number


def test_secrets_go_too_and_empty_fields_stay_empty() -> None:
    assert hide({"access_token": "abc", "email": "", "phone": None}) == {
        "access_token": MASK,
        "email": "",
        "phone": None,
    }


def test_the_code_of_a_fault_is_no_secret() -> None:
    assert hide({"code": "6240"}) == {"code": "6240"}
    assert hide({"code": "AB11xyz"}) == {"code": MASK}


def test_words_that_were_sent_are_hidden_where_an_answer_quotes_them() -> None:
    sent = {"PrimaryPhone": {"FreeFormNumber": "555-0100-42"}, "Line": [{"addr1": "1 Made-up Lane"}], "zip": "12345"}
    words = personal_words(sent)
    assert words == {"555-0100-42", "1 Made-up Lane"}
    assert (
        hide_in_text("555-0100-42 is no phone of 1 Made-up Lane, 12345", words)
        == f"{HIDDEN} is no phone of {HIDDEN}, 12345"
    )
