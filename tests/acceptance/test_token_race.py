"""However many processes renew a connection's tokens at once, and wherever some of them die, nobody is disconnected."""

from __future__ import annotations

import multiprocessing
import os
from contextlib import closing

import pytest

from tests.killpoints.checks import Scene, connected
from tests.support.stage import staged
from tests.support.token_racer import race

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.support.token_racer", "httpcore"])
# Fifty are nightly work: ERP_TEST_TOKEN_WORKERS=50.
WORKERS = int(os.environ.get("ERP_TEST_TOKEN_WORKERS", "16"))
USES, DYING = 6, WORKERS // 5
UNTIL_DEAD = 10_000  # whoever is to die at a boundary goes on until a renewal has been its own
REALM = "9130350000000001"


def raced(database_url, tmp_path, death=None, **config):
    """The scene after many processes have used tokens that live for one second, a fifth of them dying at a boundary."""
    with staged(database_url, access_token_seconds=1, **config) as stage, closing(Scene(stage)) as scene:
        with scene.host() as host:
            stage.connect(host.runtime)
        url = f"{stage.url}/v3/company/{REALM}/companyinfo/{REALM}"
        report = tmp_path / "report"
        deaths = [death if number < DYING else None for number in range(WORKERS)]
        racers = [
            CONTEXT.Process(target=race, args=(stage.environment(), url, UNTIL_DEAD if one else USES, one, str(report)))
            for one in deaths
        ]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join(120)
        yield scene, [racer.exitcode for racer in racers], report.read_text() if report.exists() else ""


def token_calls(scene):
    calls = [call for call in scene.twin.calls.since() if call.path.endswith("/tokens/bearer")]
    return len(calls), [call.status for call in calls if call.status not in {200, 0}]


@pytest.mark.slow
def test_many_processes_and_tokens_of_one_second_renew_one_after_the_other(database_url, tmp_path):
    for scene, codes, report in raced(database_url, tmp_path, rotation="race_kills_grant"):
        count, refused = token_calls(scene)
        assert codes == [0] * WORKERS
        assert (report, refused) == ("", []), "no refresh token was ever sent again after its successor was stored"
        assert 1 < count < WORKERS * USES / 2, "one renewal serves many"
        connected(scene)


CRASH_POINTS = {
    "before it is noted": ("before a commit", ""),
    "before it leaves": ("before POST bearer", ""),
    "on the wire": ("POST bearer sent", ""),
    "answered": ("POST bearer answered", ""),
    "before its commit": ("before a commit", "POST bearer answered"),
    "after its commit": ("after a commit", "POST bearer answered"),
}


@pytest.mark.slow
@pytest.mark.parametrize("point", CRASH_POINTS)
def test_no_crash_point_of_a_renewal_disconnects_while_the_provider_keeps_its_token(database_url, tmp_path, point):
    """QuickBooks replaces a refresh token about once a day, so nearly every renewal brings the same one again."""
    for scene, codes, report in raced(database_url, tmp_path, CRASH_POINTS[point]):
        assert (codes.count(-9), codes.count(0)) == (DYING, WORKERS - DYING)
        assert (report, token_calls(scene)[1]) == ("", [])
        connected(scene)


@pytest.mark.slow
@pytest.mark.parametrize("point", ["before it is noted", "before it leaves", "after its commit"])
def test_no_crash_outside_the_lost_answer_disconnects_when_every_renewal_replaces_the_token(
    database_url, tmp_path, point
):
    for scene, codes, report in raced(database_url, tmp_path, CRASH_POINTS[point], rotation="every_refresh"):
        assert (codes.count(-9), codes.count(0)) == (DYING, WORKERS - DYING)
        assert (report, token_calls(scene)[1]) == ("", [])
        connected(scene)
