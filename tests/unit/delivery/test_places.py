from __future__ import annotations

import threading

import pytest

from erp_pipelines.delivery.places import CALLS_A_PLACE, Places


def go_well(places: Places, calls: int) -> None:
    for _ in range(calls):
        with places.taken():
            pass
        places.went_well()


def test_no_more_are_under_way_than_there_are_places():
    places, most, lock = Places(3, 3), 0, threading.Lock()

    def call():
        nonlocal most
        with places.taken():
            with lock:
                most = max(most, places.under_way)
            held.wait(0.05)

    held = threading.Event()
    threads = [threading.Thread(target=call) for _ in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, places.under_way) == (3, 0)


@pytest.mark.parametrize(("start", "most", "limit"), [(4, 4, 4), (4, 2, 2), (0, 5, 1), (1, 0, 1)])
def test_it_begins_within_what_is_allowed(start, most, limit):
    assert Places(start, most).limit == limit


def test_one_place_more_for_a_long_run_of_calls_that_went_well_and_never_over_the_most():
    places = Places(2, 3)
    go_well(places, CALLS_A_PLACE * 2 - 1)
    assert places.limit == 2
    go_well(places, 1)
    assert places.limit == 3
    go_well(places, CALLS_A_PLACE * 10)
    assert places.limit == 3


def test_a_throttle_halves_and_tells_the_new_limit():
    places = Places(5, 5)
    assert [places.throttled(), places.throttled(), places.throttled()] == [2, 1, None]
    assert places.limit == 1


def test_calls_that_were_under_way_when_it_halved_do_not_halve_again():
    places = Places(4, 4)
    with places.taken(), places.taken(), places.taken():
        assert places.throttled() == 2
        assert [places.throttled(), places.throttled(), places.throttled()] == [None, None, None]
    assert places.throttled() == 1


def test_a_throttle_sets_back_what_was_earned():
    places = Places(2, 4)
    go_well(places, CALLS_A_PLACE * 2 - 1)
    places.throttled()
    go_well(places, CALLS_A_PLACE - 1)
    assert places.limit == 1
