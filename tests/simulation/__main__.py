"""`python -m tests.simulation`: seeds from a start on, or one seed with its story. Exit code 1 when a promise broke."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context

from tests.simulation.run import Result, run_chunk
from tests.support.erps import ERPS
from tests.support.postgres import suite_server

CHUNK = 25


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--seed", type=int, help="only this one, and what it did")
    parser.add_argument("--provider", choices=ERPS, default="quickbooks")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    if asked.seed is not None:
        return show_one(asked.seed, asked.provider)
    began = time.monotonic()
    results: list[Result] = []
    with suite_server(), ProcessPoolExecutor(asked.jobs, mp_context=get_context("spawn")) as pool:
        starts = range(asked.start, asked.start + asked.seeds, CHUNK)
        ends = [min(start + CHUNK, asked.start + asked.seeds) for start in starts]
        for chunk in pool.map(run_chunk, starts, ends, repeat(asked.provider)):
            results += chunk
            for result in chunk:
                if result.broken:
                    print(
                        f"seed {result.seed}: {result.broken}\n  again with: ./dev simulate --provider {asked.provider} --seed {result.seed}",
                        flush=True,
                    )
    return summary(results, time.monotonic() - began)


def show_one(seed: int, provider: str) -> int:
    [result] = run_chunk(seed, seed + 1, provider)
    print(result)
    print(result.broken or "every promise was kept")
    return 1 if result.broken else 0


def summary(results: list[Result], seconds: float) -> int:
    broken = [result.seed for result in results if result.broken]
    totals = {
        name: sum(getattr(result, name) for result in results)
        for name in ("faults", "kills", "lost_sessions", "taken_over", "in_doubt", "adopted", "open_errors")
    }
    causes: Counter[str] = sum((result.causes for result in results), Counter())
    print(
        f"{len(results)} seeds in {seconds:.0f} s, {60 * len(results) / seconds:.0f} a minute; broken: {broken or 'none'}"
    )
    print(", ".join(f"{name.replace('_', ' ')} {total}" for name, total in totals.items()))
    print(f"what waits for a person at the end: {dict(causes.most_common())}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
