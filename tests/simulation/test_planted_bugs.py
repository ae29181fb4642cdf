"""A simulation that finds nothing proves nothing: each of these bugs, put into the engine, must come out within 500 seeds."""

from __future__ import annotations

import pytest

from erp_pipelines.delivery import apply, bring, outbound, worker
from erp_pipelines.storage import sending
from tests.simulation.run import run_seed

MOST_SEEDS = 500


def forget_what_was_sent(monkeypatch):
    """The note of what is about to leave is not written."""
    monkeypatch.setattr(sending, "mark", lambda *_, **__: True)


def let_an_old_event_pass(monkeypatch):
    """An event is sent although a later one of its record has been."""
    attempt = outbound._attempt

    def blind(bringing):
        object.__setattr__(bringing.claim, "superseded", False)
        return attempt(bringing)

    monkeypatch.setattr(outbound, "_attempt", blind)


def count_our_own_payment_again(monkeypatch):
    """A payment of ours that a notice told of is booked as the ERP's own too."""
    monkeypatch.setattr(apply, "_know_our_own", lambda *_: None)
    monkeypatch.setattr(apply, "_sent_by_us", lambda *_: set())


def believe_every_body_sent(monkeypatch):
    """A record that stands in the ERP is never sent again, whatever became of it."""
    monkeypatch.setattr(bring, "fingerprint", lambda *_: "the same")


def leave_the_dead_alone(monkeypatch):
    """What a dead worker had claimed is not taken over."""
    monkeypatch.setattr(worker, "_take_over", lambda *_: None)


# Each with the seed that found it last time, which is tried first. That saves time only: one that finds it no more is
# followed by all others.
BUGS = {
    forget_what_was_sent: 0,
    let_an_old_event_pass: 223,
    count_our_own_payment_again: 5,
    believe_every_body_sent: 6,
    leave_the_dead_alone: 0,
}


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("plant", BUGS, ids=lambda plant: plant.__name__.replace("_", " "))
def test_a_planted_bug_is_found(databases, monkeypatch, record_property, plant):
    plant(monkeypatch)
    seeds = dict.fromkeys((BUGS[plant], *range(MOST_SEEDS)))
    found = next((result for seed in seeds if (result := run_seed(databases, seed, "quickbooks")).broken), None)
    assert found is not None
    record_property("found by seed", found.seed)
    record_property("broken promise", found.broken.splitlines()[0])
