"""How the demo tells what it sees: lines on the console, and patience."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console

from erp_pipelines.server.supervisor import Event

PATIENCE_SECONDS = 180.0
console = Console(highlight=False, soft_wrap=True)


def until(seen: Callable[[], Any]) -> Any:
    """What `seen` gives as soon as it gives something; None when patience ends."""
    ends = time.monotonic() + PATIENCE_SECONDS
    with console.status("waiting ...") if console.is_terminal else _silence():
        while time.monotonic() < ends:
            found = seen()
            if found:
                return found
            time.sleep(0.2)
    return None


@contextmanager
def _silence() -> Iterator[None]:
    yield


def head(text: str) -> None:
    console.print(f"\n[bold cyan]{text}[/]")


def done(text: str) -> None:
    console.print(f"  [green]✓[/] {text}")


def step(name: str, text: str) -> None:
    console.print(f"  [green]✓[/] {name:15} {text}")


def failed(text: str) -> None:
    console.print(f"  [red]✗ {text}[/]")


def show(event: Event) -> None:
    if event.kind == "ready":
        step(event.service, f"ready after {event.seconds:.1f} s")
    elif event.kind == "failed":
        failed(f"{event.service}: {event.detail}")
