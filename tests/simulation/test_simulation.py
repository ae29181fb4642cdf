"""Seeded storms: several workers, webhooks, edits in the ERP, faults, deaths and lost sessions, in any order."""

from __future__ import annotations

import pytest

from tests.simulation.run import run_seed
from tests.simulation.world import pools
from tests.support.erps import ERPS
from tests.support.postgres import a_database

# Two thousand of each provider are nightly work (`./dev simulate`); here they take turns.
SEEDS, CHUNK = 100, 10
PROVIDERS = list(ERPS)


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, SEEDS, CHUNK))
def test_every_promise_is_kept_through_a_storm(databases, start):
    results = [run_seed(databases, seed, PROVIDERS[seed % len(PROVIDERS)]) for seed in range(start, start + CHUNK)]
    assert [(result.seed, result.broken) for result in results if result.broken] == []
    assert sum(result.kills for result in results) > CHUNK, "storms in which workers die"
    assert sum(result.faults for result in results) > CHUNK, "and the ERP is in trouble"


@pytest.mark.slow
@pytest.mark.parametrize("provider", ERPS)
def test_a_seed_always_goes_the_same_way(server, template, provider):
    digests = []
    for _ in range(2):
        with a_database(server, template) as url, pools(url) as databases:
            digests.append(run_seed(databases, 7, provider).digest)
    assert digests[0] == digests[1]
