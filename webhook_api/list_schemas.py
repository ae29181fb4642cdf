"""The JSON of the lists: logs, mappings, outbox, inbox."""

from __future__ import annotations

from typing import Any

from webhook_api.schemas import Body, Moment


class LogOut(Body):
    """One try at one record: when, by whom, which attempt, what the ERP said."""

    id: str
    provider: str
    entity_type: str
    entity_id: str | None
    external_id: str | None
    direction: str
    status: str
    outcome: str | None
    error_message: str | None
    cause: str | None
    mend: str | None
    owner: str | None
    retriable: bool | None
    erp_code: str | None
    catalogue: str | None
    in_doubt: bool
    started_at: Moment
    completed_at: Moment | None
    retry_count: int
    attempt: int
    erp_request_id: str | None
    actor: str | None
    correlation_id: str | None
    settings_version: int | None


class LogDetailOut(LogOut):
    """One try with what stands around it. The event's payload has its secrets masked, and is for admins.

    What was said to the ERP and by it is kept of failures, and in diagnostic mode: `{"calls": [...]}`, without secrets and
    personal data, for as long as the retention says.
    """

    document_url: str | None
    delivery_id: str | None
    delivery_status: str | None
    outbox_id: str | None
    event_type: str | None
    payload: dict[str, Any] | None
    request_payload: dict[str, Any] | None
    response_payload: dict[str, Any] | None
    run_id: str | None
    run_url: str | None


class MappingOut(Body):
    id: str
    provider: str
    entity_type: str
    prometheus_id: str
    external_id: str
    external_type: str
    external_number: str | None
    document_url: str | None
    last_sync_at: Moment | None


class OutboxOut(Body):
    id: str
    event_type: str
    entity_type: str
    entity_id: str
    status: str
    target_system: str | None
    created_at: Moment
    processed_at: Moment | None
    scheduled_for: Moment | None
    retry_count: int
    max_retries: int
    last_error: str | None
    cause: str | None
    mend: str | None
    owner: str | None
    retriable: bool | None
    in_doubt: bool


class InboxOut(Body):
    id: str
    provider: str
    external_event_id: str
    external_type: str
    external_id: str
    operation: str
    status: str
    occurred_at: Moment | None
    received_at: Moment
    processed_at: Moment | None
    attempts: int
    last_error: str | None


class Retried(Body):
    """How many deliveries of the event are due again."""

    retried: int
