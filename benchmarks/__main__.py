"""`python -m benchmarks [NAME ...] [--minutes N] [--from REVISION]`: runs the named benchmarks, or all."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import (
    backlog,
    commit,
    drain,
    fleet,
    fleet_dagster,
    hosts,
    in_flight,
    isolation,
    listings,
    outages,
    processes,
    soak,
    upgrade,
    webhooks,
)
from benchmarks.netns import Missing

BENCHMARKS: dict[str, Callable[[], dict[str, Any]]] = {
    "commit": commit.run,
    "drain": drain.run,
    "fleet": fleet.run,
    "fleet-dagster": fleet_dagster.run,
    "hosts": hosts.run,
    "isolation": isolation.run,
    "logs": listings.run,
    "netsuite": in_flight.run,
    "outages": outages.run,
    "processes": processes.run,
    "quickbooks": backlog.run,
    "soak": soak.run,
    "upgrade": upgrade.run,
    "webhooks": webhooks.run,
}
REPORTS = Path(__file__).with_name("reports")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(BENCHMARKS)}; all without any")
    parser.add_argument("--minutes", type=float, help="how long the fleet is watched, or the soak lasts")
    parser.add_argument("--rows", type=int, default=listings.LARGE, help="how many rows the larger lists have")
    parser.add_argument("--from", dest="older", default=upgrade.FROM, help="the git revision that is upgraded from")
    asked = parser.parse_args(arguments)
    if unknown := [name for name in asked.names if name not in BENCHMARKS]:
        parser.error(f"{unknown[0]!r} is none of {', '.join(BENCHMARKS)}")
    lasting = {"fleet": fleet.run, "fleet-dagster": fleet_dagster.run, "soak": soak.run} if asked.minutes else {}
    benchmarks = BENCHMARKS | {name: partial(run, asked.minutes) for name, run in lasting.items()}
    benchmarks |= {"upgrade": partial(upgrade.run, asked.older), "logs": partial(listings.run, asked.rows)}
    status = 0
    for name in asked.names or benchmarks:
        try:
            write(name, benchmarks[name]())
        except Missing as missing:
            print(f"bench: {name} cannot run here: {missing}", file=sys.stderr)
            status = 2
    return status


def write(name: str, figures: dict[str, Any]) -> None:
    """Ratios first, then the rest; JSON beside Markdown."""
    REPORTS.mkdir(exist_ok=True)
    machine = f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}"
    lines = [f"# {name}", "", f"Machine: {machine}", "", "| figure | value |", "|---|---|"]
    lines += [f"| {what} | {value} |" for what, value in figures.items()]
    text = "\n".join(lines)
    (REPORTS / f"{name}.md").write_text(text + "\n")
    (REPORTS / f"{name}.json").write_text(json.dumps({"machine": machine, **figures}, indent=2))
    print(text)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
