"""`python -m tests.killpoints [FLOW ...]`: how many kill points each flow has, and what broke at them. Exit code 1 if anything did."""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor

from tests.killpoints.flows import FLOWS
from tests.killpoints.harness import Findings, enumerate_flow
from tests.support.erps import ERPS
from tests.support.postgres import newest_schema, suite_server


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.killpoints", description=__doc__)
    parser.add_argument("flows", nargs="*", metavar="FLOW", help="all of them by default")
    parser.add_argument("--provider", choices=ERPS, help="all of them by default")
    parser.add_argument("--step", type=int, default=1, help="only each n-th point")
    parser.add_argument("--until-broken", action="store_true", help="end a flow at the first point that breaks")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    broken = 0
    with suite_server() as server, ThreadPoolExecutor(asked.jobs) as pool:
        template = newest_schema(server)
        wanted = [
            (provider, name)
            for provider, name in FLOWS
            if asked.provider in (None, provider) and name in (asked.flows or [name])
        ]
        flows = [
            pool.submit(enumerate_flow, server, template, *one, step=asked.step, until_broken=asked.until_broken)
            for one in wanted
        ]
        for flow in flows:
            broken += show(flow.result())
    return 1 if broken else 0


def show(found: Findings) -> int:
    """One line for the flow, one for each point that broke; how many did."""
    commits = sum("commit" in point for point in found.points)
    print(
        f"{found.flow:36} {len(found.points):4} points ({commits} at commits), {len(found.broken)} broken", flush=True
    )
    for point, boundary, why in found.broken:
        print(f"    point {point}, {boundary}: {why}", flush=True)
    return len(found.broken)


if __name__ == "__main__":
    sys.exit(main())
