"""What the demo holds in its hands, and what it wants of each ERP."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any, Protocol

from erp_pipelines.cli.demo import data
from erp_pipelines.cli.demo.environment import DemoEnvironment
from erp_pipelines.cli.demo.telling import done, failed, head, until
from erp_pipelines.cli.web import Web
from erp_pipelines.settings import Settings


@dataclass
class Story:
    """One demo: its doors, and what it has seen go wrong."""

    settings: Settings
    env: DemoEnvironment
    api: Web
    dagster: Web
    began: float = field(default_factory=time.time)
    problems: list[str] = field(default_factory=list)

    def check(self, holds: bool, what: str) -> None:
        """Note what does not hold; it decides the exit code."""
        if not holds:
            self.problems.append(what)
            failed(what)

    def connected(self, provider: str) -> bool:
        found = self.api.get("/api/integrations/connections")["items"]
        return any(item["provider"] == provider and item["isConnected"] for item in found)

    def payment_status(self, order_id: str) -> str:
        return str(self.api.get(f"/api/orders/{order_id}/sync-status")["paymentStatus"])


class Scene(Protocol):
    """One ERP's part of the demo. `document` is what an order becomes there."""

    provider: str
    name: str
    document: str
    door: str

    def connect(self, story: Story) -> None:
        """Through the real flow, as an admin would; a second demo finds the connection standing."""
        ...

    def pay(self, story: Story, order_id: str) -> None:
        """Somebody in accounting enters the customer's payment in this ERP."""
        ...

    def check_books(self, story: Story) -> None:
        """The twin's ledger against the shop's orders."""
        ...


def follow_documents(story: Story, scene: Scene, orders: Iterable[str]) -> None:
    head(f"Dagster brings them to {scene.name}")
    began = time.monotonic()
    for order_id in orders:
        state = until(partial(_synced, story, scene.provider, order_id))
        if state is None:
            story.check(False, f"order {order_id} stands in {scene.name}")
            continue
        url, seconds = state.get("documentUrl") or "", time.monotonic() - began
        done(f"order {order_id} → [bold]{scene.document} {state['documentNumber']}[/]  {url}  ({seconds:.1f} s)")


def _synced(story: Story, provider: str, order_id: str) -> dict[str, Any] | None:
    status = story.api.get(f"/api/orders/{order_id}/sync-status")
    found = next((state for state in status["providers"] if state["provider"] == provider), None)
    return found if found and found["state"] == "synced" else None


def check_totals(story: Story, scene: Scene, found: Iterable[tuple[str, Decimal]]) -> None:
    """Every order once, to the cent; `found` are the twin's documents by our order number."""
    documents = list(found)
    numbers = [number for number, _ in documents]
    expected = data.totals(story.env.orders_made)
    story.check(len(numbers) == len(set(numbers)), f"no {scene.document} stands in {scene.name} twice")
    story.check(sorted(numbers) == sorted(expected), f"every order has its {scene.document} in {scene.name}")
    wrong = [number for number, total in documents if total != expected.get(number)]
    story.check(not wrong, f"each {scene.document} equals its order to the cent (not {', '.join(wrong)})")
