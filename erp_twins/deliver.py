"""Posts a twin's webhooks to their target, from a thread of its own."""

from __future__ import annotations

import threading

import httpx

from erp_twins.quickbooks import QuickBooksTwin
from erp_twins.quickbooks.webhooks import Delivery

_LOOK_SECONDS = 0.02
_TIMEOUT_SECONDS = 3.0  # the service waits three seconds for a 200


class Deliverer:
    """Delivers what is due, and leaves retries to the twin's schedule. Idle while no target is set."""

    def __init__(self, twin: QuickBooksTwin) -> None:
        self._twin = twin
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="twin-webhooks", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        with httpx.Client(timeout=_TIMEOUT_SECONDS, trust_env=False) as client:
            while not self._stopping.wait(_LOOK_SECONDS):
                self._twin.run_late()
                if self._twin.config.webhook_url:
                    self._deliver(client)

    def _deliver(self, client: httpx.Client) -> None:
        for delivery in self._twin.due_webhooks():
            if self._stopping.is_set():
                return
            self._twin.settle_webhook(delivery, acknowledged=_posted(client, self._twin.config.webhook_url, delivery))


def _posted(client: httpx.Client, url: str, delivery: Delivery) -> bool:
    try:
        return client.post(url, content=delivery.body, headers=delivery.headers).is_success
    except httpx.HTTPError:
        return False
