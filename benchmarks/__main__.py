"""`python -m benchmarks [NAME ...]`: runs the named benchmarks, or all."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import backlog, drain, in_flight, isolation, latency, listings, webhooks

BENCHMARKS: dict[str, Callable[[], dict[str, Any]]] = {
    "drain": drain.run,
    "isolation": isolation.run,
    "latency": latency.run,
    "logs": listings.run,
    "netsuite": in_flight.run,
    "quickbooks": backlog.run,
    "webhooks": webhooks.run,
}
REPORTS = Path(__file__).with_name("reports")


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"bench: {unknown[0]!r} is none of {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    for name in names or BENCHMARKS:
        write(name, BENCHMARKS[name]())
    return 0


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
