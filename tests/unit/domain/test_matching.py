from __future__ import annotations

import pytest

from erp_pipelines.domain.matching import Named, match, plain


def one(ours: Named, *theirs: Named) -> tuple[str | None, list[tuple[str, str]]]:
    [found] = match([ours], theirs)
    return found.certain, [(candidate.id, candidate.reason) for candidate in found.candidates]


@pytest.mark.parametrize("theirs", ["Blue Door Cafe", "BLUE DOOR CAFE", " Blue  Door-Café. "])
def test_the_same_name_is_certain_whatever_its_case_accents_and_punctuation(theirs):
    assert one(Named("c1", "Blue Door Café"), Named("7", theirs)) == ("7", [("7", "name")])


@pytest.mark.parametrize(
    "theirs",
    [
        "Blue Dor Cafe",
        "Blue Door Cafe Ltd",
        "Cafe Blue Door",
        "Blue Door Cafe (Customer)",
        "Bleu Door Cafe",
        "Blue Door Cafe International Holdings",
    ],
)
def test_a_name_that_looks_alike_is_a_question(theirs):
    assert one(Named("c1", "Blue Door Cafe"), Named("7", theirs)) == (None, [("7", "similar")])


@pytest.mark.parametrize("theirs", ["Red Window Diner", "Door", "Blueberry Farm", "Blue Door Diner"])
def test_another_name_is_none(theirs):
    assert one(Named("c1", "Blue Door Cafe"), Named("7", theirs)) == (None, [])


def test_other_forms_of_a_company_are_asked_about():
    assert one(Named("c1", "Acme Ltd"), Named("7", "Acme Limited")) == (None, [("7", "similar")])


def test_an_address_in_common_is_a_question_and_another_address_makes_one_of_a_name():
    mine = Named("c1", "Blue Door Cafe", email="office@door.example")
    assert one(mine, Named("7", "Harbour Trust", email="OFFICE@door.example")) == (None, [("7", "email")])
    assert one(mine, Named("7", "Blue Door Cafe", email="other@door.example")) == (None, [("7", "name")])
    assert one(mine, Named("7", "Blue Door Cafe", email="office@door.example")) == ("7", [("7", "name")])


def test_several_of_one_name_are_a_question():
    assert one(Named("c1", "Acme"), Named("7", "Acme"), Named("8", "ACME")) == (None, [("7", "name"), ("8", "name")])


def test_what_is_inactive_there_is_a_question():
    assert one(Named("c1", "Acme"), Named("7", "Acme", active=False)) == (None, [("7", "name")])


def test_one_of_theirs_is_certain_for_one_of_ours_only():
    found = match([Named("c1", "Acme"), Named("c2", "acme")], [Named("7", "Acme")])
    assert [(one.certain, len(one.candidates)) for one in found] == [(None, 1), (None, 1)]


def test_what_is_certain_for_one_of_ours_is_no_candidate_of_another():
    mine = [Named("c1", "Corner Shop 1"), Named("c2", "Corner Shop 2"), Named("c3", "Corner Shop 3")]
    found = match(mine, [Named("7", "Corner Shop 1"), Named("8", "Corner Shpo 2")])
    assert [(one.certain, [other.id for other in one.candidates]) for one in found] == [
        ("7", ["7"]), (None, ["8"]), (None, []),
    ]  # fmt: skip


def test_a_number_says_more_than_a_name():
    mine = Named("p1", "Olive oil", sku="OO-1")
    assert one(mine, Named("7", "Extra virgin", sku="oo-1")) == ("7", [("7", "sku")])
    assert one(mine, Named("7", "Olive oil", sku="OO-2")) == (None, []), "a variant"
    assert one(mine, Named("7", "Olive oil")) == ("7", [("7", "name")])
    assert one(mine, Named("7", "Olive oil"), Named("8", "Other", sku="OO-1")) == (None, [("8", "sku"), ("7", "name")])


def test_the_plain_form_of_a_name():
    assert plain("  Crème & Brûlée_Co. ") == "creme brulee co"
