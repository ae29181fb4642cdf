"""Every cause that can be shown has an owner and a mend, and a catalogue that contradicts itself is refused."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from erp_pipelines.connectors.registry import catalogues
from erp_pipelines.domain import errors
from erp_pipelines.domain.catalogue import Causes, FaultCatalogue, Owner, Treatment, cause_of, own
from erp_pipelines.domain.outcomes import Explained, explain

ROOT = Path(__file__).parents[3]
ENTRY = {"cause": "a", "title": "A", "owner": "us", "treatment": "rejected", "source": "s", "mend": "M."}
FILE = {
    "version": "2026-11-23", "provider": "toy", "sources": {"s": "a table"}, "unknown": ENTRY,
    "faults": [{**ENTRY, "codes": {"1": "One"}}],
}  # fmt: skip


def causes_in(source: str) -> Iterator[str]:
    """`code = "..."` of classes, `cause="..."` of calls, and the second argument of `Explained`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef):
            for line in node.body:
                if isinstance(line, ast.Assign) and [ast.unparse(name) for name in line.targets] == ["code"]:
                    yield ast.literal_eval(line.value)
        elif isinstance(node, ast.Call):
            named = [word.value for word in node.keywords if word.arg == "cause"]
            told = node.args[1:2] if ast.unparse(node.func) == "Explained" else []
            yield from (one.value for one in (*named, *told) if isinstance(one, ast.Constant))


def spoken() -> dict[str, str]:
    """Every cause that the code names, and a file that does."""
    modules = [path for room in ("erp_pipelines", "webhook_api") for path in (ROOT / room).rglob("*.py")]
    return {cause: path.name for path in modules for cause in causes_in(path.read_text(encoding="utf-8"))}


def test_every_cause_that_the_code_names_is_in_the_catalogue():
    named = spoken()
    assert len(named) >= 35
    known = {entry.cause for entry in own().causes}
    assert {cause: where for cause, where in named.items() if cause not in known} == {}


def test_the_catalogue_names_no_cause_that_nobody_speaks_of():
    indirect = {"unknown"}  # by its constant
    assert {entry.cause for entry in own().causes} - set(spoken()) - indirect == set()


def test_the_collector_finds_each_way_a_cause_is_written():
    source = 'class A:\n    code = "x"\nRejected("m", cause="y", mend="")\nExplained("m", "z", "")\nother("m", "w")\n'
    assert sorted(causes_in(source)) == ["x", "y", "z"]


def test_every_entry_says_who_can_do_what():
    assert all(entry.mend.endswith(".") for entry in own().causes)
    for found in catalogues():
        for part in (found.faults, found.refresh, found.consent):
            assert all(rule.mend.endswith(".") and rule.meaning for rule in found.rules(part).values())


def test_a_word_that_nobody_entered_is_ours():
    assert cause_of("never-heard-of").cause == "bug"


@pytest.mark.parametrize(
    "changes",
    [
        {"faults": [{**ENTRY, "codes": {"1": "One"}}, {**ENTRY, "cause": "b", "codes": {"1": "Again"}}]},
        {"faults": [{**ENTRY, "source": "elsewhere", "codes": {"1": "One"}}]},
        {"faults": [{**ENTRY, "owner": "nobody", "codes": {"1": "One"}}]},
        {"faults": [{**ENTRY, "treatment": "ignored", "codes": {"1": "One"}}]},
        {"faults": [{**ENTRY, "mend": "", "codes": {"1": "One"}}]},
        {"unknown": {**ENTRY, "source": "elsewhere"}},
        {"version": "newest"},
        {"more": 1},
    ],
)
def test_a_catalogue_that_contradicts_itself_is_refused(changes):
    assert FaultCatalogue.model_validate(FILE).version == "2026-11-23"
    with pytest.raises(ValidationError):
        FaultCatalogue.model_validate(FILE | changes)


def test_a_cause_stands_there_once():
    cause = {"cause": "a", "title": "A", "owner": "us", "mend": "M."}
    with pytest.raises(ValidationError):
        Causes.model_validate({"version": "2026-11-23", "causes": [cause, cause]})


def test_the_provider_s_rule_says_whose_job_an_error_is():
    rules = FaultCatalogue.model_validate({**FILE, "faults": [{**ENTRY, "owner": "shop", "codes": {"1": "One"}}]})
    error = errors.Rejected("No.", cause="value", mend="")
    error.rule = rules.rules(rules.faults)["1"]
    told = explain(error)
    assert (told.owner, told.retriable, told.catalogue) == (Owner.SHOP, False, "2026-11-23")


@pytest.mark.parametrize(
    ("error", "owner", "retriable"),
    [
        (errors.Unavailable("Down."), "provider", True),
        (errors.AnswerLost("Lost."), "provider", True),
        (errors.ConnectionLost("Gone."), "admin", False),
        (errors.RecordInvalid("Wrong."), "shop", False),
        (errors.Rejected("No.", cause="total-differs", mend=""), "bookkeeper", False),
        (errors.Rejected("No.", cause="unknown", mend=""), "us", False),
        (errors.RequirementMissing("No.", requirement="setting:x", mend=""), "admin", True),
        (KeyError("x"), "us", False),
    ],
)
def test_without_a_rule_the_cause_says_it(error, owner, retriable):
    told = explain(error)
    assert (told.owner, told.retriable, told.catalogue) == (owner, retriable, own().version)


def test_only_what_nobody_must_change_is_retriable():
    hopeful = {one for one in Treatment if one.retriable}
    assert hopeful == {Treatment.THROTTLED, Treatment.TOKEN, Treatment.LATER, Treatment.LOST, Treatment.STALE}


def test_two_explanations_with_the_same_words_are_equal():
    assert Explained("m", "bug", "") == Explained("m", "bug", "", rule=None)
