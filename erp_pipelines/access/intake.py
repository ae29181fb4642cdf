"""Webhooks on their way in: verified, routed to the tenant by company, stored. Nothing is believed or done here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from erp_pipelines import tracing
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.connectors.provider import Notice, WebhookSource
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import NotFound, PipelineError
from erp_pipelines.domain.idempotency import notice_key
from erp_pipelines.storage import connections, inbox_intake
from erp_pipelines.storage.engine import Unstorable
from erp_pipelines.storage.inbox_intake import NewNotice

# The inbox keeps this much of an id; a longer one is replaced by its hash.
LONGEST_EVENT_ID = 200


class SignatureInvalid(PipelineError):
    """The delivery is not signed by the provider: nothing of it is stored."""

    code = "signature-invalid"


@dataclass(frozen=True)
class Received:
    """What became of one delivery. `unknown` notices are of companies that nobody here has connected."""

    new: int = 0
    duplicates: int = 0
    unknown: int = 0


@dataclass(frozen=True)
class Delivery:
    """What one call of the provider told, and the trace that it belongs to."""

    notices: tuple[Notice, ...]
    traceparent: str = ""


def read(runtime: Runtime, provider: str, headers: Mapping[str, str], body: bytes) -> Delivery:
    """The notices of one delivery, believed and not stored yet.

    `headers` have lower-case names. Raises SignatureInvalid, and RecordInvalid for a signed body that is no delivery.
    """
    source = _source(runtime, provider)
    if not source.verify(headers, body):
        raise SignatureInvalid("The signature is missing or wrong.", mend="Compare the webhook's verifier token.")
    return Delivery(source.parse(body), tracing.traceparent() or "")


def store(runtime: Runtime, provider: str, deliveries: Sequence[Delivery]) -> list[Received | Exception]:
    """Store several deliveries in one transaction: what became of each, in order. A repeat changes nothing.

    Where one of them holds what no table takes, each is stored by itself, so that the others are none the worse.
    """
    try:
        return list(_store(runtime, provider, deliveries))
    except Unstorable as error:
        if len(deliveries) == 1:
            return [error]
    return [result for delivery in deliveries for result in store(runtime, provider, [delivery])]


def _store(runtime: Runtime, provider: str, deliveries: Sequence[Delivery]) -> list[Received]:
    companies = sorted({notice.company_id for delivery in deliveries for notice in delivery.notices})
    with runtime.db.system() as conn:
        keys = connections.keys_of(conn, provider, companies)
        known = [_routed(delivery, keys) for delivery in deliveries]
        new = inbox_intake.insert_each(conn, known)
    return [
        Received(new=fresh, duplicates=len(ours) - fresh, unknown=len(delivery.notices) - len(ours))
        for delivery, ours, fresh in zip(deliveries, known, new, strict=True)
    ]


def _source(runtime: Runtime, provider: str) -> WebhookSource:
    source = runtime.connector(provider).webhooks
    if source is None:
        raise NotFound(f"{provider} sends no webhooks.")
    return source


def _routed(delivery: Delivery, keys: Mapping[str, ConnectionKey]) -> list[NewNotice]:
    return [
        NewNotice(
            key=keys[notice.company_id],
            event_id=notice.event_id if len(notice.event_id) <= LONGEST_EVENT_ID else notice_key(notice.event_id),
            company_id=notice.company_id,
            external_type=notice.ref.external_type,
            external_id=notice.ref.external_id,
            operation=notice.operation,
            occurred_at=notice.occurred_at,
            traceparent=delivery.traceparent,
        )
        for notice in delivery.notices
        if notice.company_id in keys
    ]
