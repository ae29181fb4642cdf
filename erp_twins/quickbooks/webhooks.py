"""Webhooks: events, aggregated and signed deliveries, retries on the twin's clock (reference section 10)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from erp_twins import jsonio
from erp_twins.clock import TwinClock
from erp_twins.jsonio import Doc
from erp_twins.quickbooks.company import Change, Company
from erp_twins.quickbooks.config import TwinConfig
from erp_twins.quickbooks.entities import SCHEMAS

RETRY_SECONDS = (10, 20, 30, 300, 1200, 7200, 14400, 21600)
_PAST = {
    "Create": "created",
    "Update": "updated",
    "Delete": "deleted",
    "Void": "voided",
    "Emailed": "emailed",
    "Merge": "merged",
}


@dataclass(frozen=True)
class Event:
    """One change, as a webhook will tell it."""

    seq: int
    realm: str
    entity: str
    ident: str
    operation: str
    time: str
    deleted_id: str = ""


@dataclass(frozen=True)
class Delivery:
    """One signed POST. It repeats byte for byte until it is acknowledged with a 2xx."""

    ident: int
    realm: str
    body: bytes
    headers: dict[str, str]
    due: str
    attempts: int = 0


@dataclass
class WebhookOutbox:
    """Events waiting to be aggregated, and deliveries waiting for their acknowledgement. Guarded by the twin's lock."""

    clock: TwinClock
    config: Callable[[], TwinConfig]
    events: list[Event] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    last_event: int = 0
    last_delivery: int = 0

    def note(self, company: Company, change: Change, source: str) -> None:
        """Queue the event of a committed change, where the service has one."""
        config = self.config()
        word = config.webhook_soft_delete if change.operation == "Deactivate" else change.operation
        word = "Delete" if word == "Remove" else word
        if word not in SCHEMAS[change.entity].events or (source == "api" and not config.webhook_echo):
            return
        self.last_event += 1
        if not _lost(self.last_event, config):
            moment = self.clock.now().isoformat()
            self.events.append(
                Event(self.last_event, company.realm, change.entity, change.doc["Id"], word, moment, change.deleted_id)
            )

    def due(self, *, flush: bool = False) -> list[Delivery]:
        """What is to be posted now, oldest first; forms new deliveries when the window has passed.

        An unacknowledged delivery holds back the later ones of its company.
        """
        self._form(flush=flush)
        now = self.clock.now()
        first: dict[str, Delivery] = {}
        for delivery in self.deliveries:
            first.setdefault(delivery.realm, delivery)
        return [one for one in first.values() if flush or datetime.fromisoformat(one.due) <= now]

    def pending(self) -> list[Delivery]:
        """Every delivery not yet acknowledged, all queued events included, held ones too."""
        self._form(flush=True)
        return list(self.deliveries)

    def settle(self, delivery: Delivery, *, acknowledged: bool) -> None:
        """Drop an acknowledged delivery, or plan its next attempt."""
        if acknowledged:
            self.deliveries = [one for one in self.deliveries if one.ident != delivery.ident]
            return
        wait = RETRY_SECONDS[min(delivery.attempts, len(RETRY_SECONDS) - 1)]
        due = (self.clock.now() + timedelta(seconds=wait)).isoformat()
        again = replace(delivery, attempts=delivery.attempts + 1, due=due)
        self.deliveries = [again if one.ident == delivery.ident else one for one in self.deliveries]

    def release(self) -> int:
        """Make everything due now, held and backing-off deliveries included. Gives how many there are."""
        self._form(flush=True)
        now = self.clock.now().isoformat()
        self.deliveries = [replace(one, due=min(one.due, now)) for one in self.deliveries]
        return len(self.deliveries)

    def clear(self) -> None:
        self.events.clear()
        self.deliveries.clear()

    # --- forming deliveries ---

    def _form(self, *, flush: bool) -> None:
        config = self.config()
        if not self.events or (config.webhook_hold and not flush):
            return
        oldest = datetime.fromisoformat(self.events[0].time)
        wait = timedelta(milliseconds=config.webhook_window_ms + config.webhook_delay_ms)
        if not flush and self.clock.now() - oldest < wait:
            return
        events, self.events = self.events, []
        if config.webhook_shuffle:
            events.sort(key=lambda event: hashlib.sha256(str(event.seq).encode()).digest())
        for group in _groups(events, config):
            self._add(group, config)

    def _add(self, events: list[Event], config: TwinConfig) -> None:
        body = jsonio.dumps(_payload(events, config)).encode()
        for _ in range(config.webhook_copies):
            self.last_delivery += 1
            now = self.clock.now()
            headers = _headers(body, config, self.last_delivery, now)
            self.deliveries.append(Delivery(self.last_delivery, events[0].realm, body, headers, now.isoformat()))

    # --- keeping ---

    def state(self) -> dict[str, Any]:
        rows = [{**asdict(one), "body": one.body.decode()} for one in self.deliveries]
        counters = {"last_event": self.last_event, "last_delivery": self.last_delivery}
        return {"events": [asdict(one) for one in self.events], "deliveries": rows, **counters}

    def restore(self, state: dict[str, Any]) -> None:
        self.events = [Event(**row) for row in state["events"]]
        self.deliveries = [Delivery(**{**row, "body": row["body"].encode()}) for row in state["deliveries"]]
        self.last_event, self.last_delivery = state["last_event"], state["last_delivery"]


def sign(body: bytes, token: str) -> str:
    """`intuit-signature`: Base64 of HMAC-SHA256 over the raw body."""
    return base64.b64encode(hmac.new(token.encode(), body, hashlib.sha256).digest()).decode()


def _lost(number: int, config: TwinConfig) -> bool:
    digest = hashlib.sha256(f"loss:{number}".encode()).digest()
    return int.from_bytes(digest[:4], "big") < config.webhook_loss * 2**32


def _groups(events: list[Event], config: TwinConfig) -> list[list[Event]]:
    if config.webhook_mixed_realms:
        return [events]
    realms = dict.fromkeys(event.realm for event in events)
    return [[event for event in events if event.realm == realm] for realm in realms]


def _headers(body: bytes, config: TwinConfig, number: int, now: datetime) -> dict[str, str]:
    kind = "application/cloudevents+json" if config.webhook_cloud_type else "application/json; charset=utf-8"
    return {
        "content-type": kind,
        "intuit-signature": sign(body, config.webhook_verifier_token),
        "intuit-created-time": now.isoformat(),
        "intuit-t-id": f"twin-{number:08d}",
        "intuit-notification-schema-version": "0.1",
        "user-agent": "intuit_notification_server/0.1",
    }


def _payload(events: list[Event], config: TwinConfig) -> Any:
    return [_cloud(event) for event in events] if config.webhook_format == "cloudevents" else _legacy(events)


def _cloud(event: Event) -> Doc:
    digest = hashlib.sha256(f"{event.realm}:{event.seq}".encode()).hexdigest()
    source = base64.b64encode(hashlib.sha256(event.realm.encode()).digest()).decode()
    moment = datetime.fromisoformat(event.time).astimezone(UTC).isoformat(timespec="microseconds")
    return {
        "specversion": "1.0",
        "id": f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}",
        "source": f"intuit.{source}",
        "type": f"qbo.{event.entity.lower()}.{_PAST[event.operation]}.v1",
        "datacontenttype": "application/json",
        "time": moment.replace("+00:00", "000Z"),
        "intuitentityid": event.ident,
        "intuitaccountid": event.realm,
        "data": {"deletedId": event.deleted_id} if event.deleted_id else {},
    }


def _legacy(events: list[Event]) -> Doc:
    realms = dict.fromkeys(event.realm for event in events)
    return {
        "eventNotifications": [
            {
                "realmId": realm,
                "dataChangeEvent": {"entities": [_old(event) for event in events if event.realm == realm]},
            }
            for realm in realms
        ]
    }


def _old(event: Event) -> Doc:
    moment = (
        datetime.fromisoformat(event.time).astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
    body = {"name": event.entity, "id": event.ident, "operation": event.operation, "lastUpdated": moment}
    return {**body, "deletedId": event.deleted_id} if event.deleted_id else body
