"""The verdict table of the guarantees, line by line."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_pipelines.domain import errors
from erp_pipelines.domain.outcomes import Abandon, Explained, Park, Pause, Retry, explain, judge

NOW = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)


def verdict(error, retries=0, max_retries=5, jitter=0.0):
    return judge(error, retries=retries, max_retries=max_retries, now=NOW, jitter=jitter)


@pytest.mark.parametrize(("retries", "minutes"), [(0, 1), (1, 2), (2, 4), (3, 8), (4, 16)])
def test_an_unavailable_erp_is_asked_again_after_two_to_the_n_minutes(retries, minutes):
    assert verdict(errors.Unavailable("Down."), retries) == Retry(
        NOW + dt.timedelta(minutes=minutes), Explained("Down.", "erp-unavailable", "It is tried again by itself.")
    )


def test_spent_retries_abandon_with_the_errors_own_mend_or_a_general_one():
    assert verdict(errors.Unavailable("Down.", mend="Wait."), retries=5) == Abandon(
        Explained("Given up after 5 retries: Down.", "erp-unavailable", "Wait.")
    )
    given_up = verdict(errors.Unavailable("Down."), retries=5)
    assert isinstance(given_up, Abandon)
    assert given_up.error.mend == (
        "Retry it when the ERP answers again; what may stand there already is looked for first."
    )


def test_a_lost_answer_leaves_the_event_in_doubt():
    given_up = verdict(errors.AnswerLost("Lost."), retries=5)
    assert verdict(errors.AnswerLost("Lost.")) == Retry(
        NOW + dt.timedelta(minutes=1),
        Explained("Lost.", "in-doubt", "The next try looks the record up before anything is sent again."),
        in_doubt=True,
    )
    assert isinstance(given_up, Abandon)
    assert given_up.in_doubt


def test_a_throttle_pauses_the_connection_for_as_long_as_it_says():
    error = errors.Throttled("Slow down.", retry_after=60, erp_code="3001")
    assert verdict(error, retries=5) == Pause(
        NOW + dt.timedelta(seconds=60), Explained("Slow down.", "erp-throttled", "", "3001")
    )


@pytest.mark.parametrize("error", [errors.ConnectionLost("Gone.", mend="Reconnect."), errors.TokenRejected("401.")])
def test_a_lost_grant_parks_the_connection(error):
    assert verdict(error, retries=5) == Park(Explained(error.message, error.code, error.mend))


def test_a_record_that_cannot_be_right_abandons_at_once_with_what_to_correct():
    error = errors.RecordInvalid("The order has no lines.", field="lines", mend="Add one.")
    assert verdict(error) == Abandon(Explained("The order has no lines.", "record-invalid", "Add one."))


def test_a_rule_of_the_erp_abandons_at_once_and_needs_a_new_key():
    error = errors.Rejected("Closed period.", cause="closed-period", mend="Reopen it.", erp_code="6200")
    assert verdict(error) == Abandon(Explained("Closed period.", "closed-period", "Reopen it.", "6200"), refused=True)


def test_a_refusal_that_is_none_of_the_erp_keeps_the_key():
    error = errors.Rejected("Differs.", cause="total-differs", mend="Look.", definitive=False)
    assert verdict(error) == Abandon(Explained("Differs.", "total-differs", "Look."), refused=False)


def test_what_is_missing_is_named_so_that_it_can_come_due_by_itself():
    error = errors.RequirementMissing("No account.", requirement="setting:incomeAccountId", mend="Choose one.")
    assert verdict(error) == Abandon(
        Explained("No account.", "requirement-missing", "Choose one."), requirement="setting:incomeAccountId"
    )


def test_a_stale_version_is_tried_again():
    assert isinstance(verdict(errors.StaleVersion("Somebody changed it.")), Retry)


def test_an_error_of_the_program_shows_its_class_and_never_its_text():
    assert explain(ValueError("Bearer abc")) == Explained(
        "An unexpected ValueError stopped this event.", "bug", "Look up the run's log and report it."
    )


@given(st.integers(0, 60), st.floats(0, 1))
def test_the_wait_never_exceeds_a_day_and_its_jitter_a_tenth(retries, jitter):
    from erp_pipelines.domain.retry import next_attempt_at

    wait = next_attempt_at(NOW, retries, jitter) - NOW
    plain = min(dt.timedelta(minutes=2 ** min(retries, 20)), dt.timedelta(days=1))
    assert plain <= wait <= plain * 1.1 + dt.timedelta(microseconds=1)


def every_error_class():
    found, todo = [], [errors.ErpError]
    while todo:
        kind = todo.pop()
        found.append(kind)
        todo += kind.__subclasses__()
    return [kind for kind in found if kind.__module__ == errors.__name__]


def test_the_drawn_tree_of_errors_is_the_real_one():
    named = {kind.__name__ for kind in every_error_class()}
    assert all(name in (errors.__doc__ or "") for name in named)
