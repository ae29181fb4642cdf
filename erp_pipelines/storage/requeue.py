"""Abandoned deliveries that become due again: what they waited for exists now, or a person says so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa

from erp_pipelines.storage.engine import Connection

_MAKE_DUE = sa.text(
    """
    update erp.integration_deliveries
    set status = 'Pending', processed_at = null, scheduled_for = :now, retry_count = 0, requirement = null
    where connection_id = :connection and status = 'Abandoned' and requirement = any(:requirements)
    """
)


def requirements_met(conn: Connection, connection_id: str, requirements: Sequence[str], *, now: dt.datetime) -> int:
    """Abandoned -> Pending for all that waited for one of them; how many."""
    values = {"connection": connection_id, "requirements": list(requirements), "now": now}
    return conn.execute(_MAKE_DUE, values).rowcount


_SETTING_CHANGED = sa.text(
    """
    update erp.integration_deliveries
    set status = 'Pending', processed_at = null, scheduled_for = :now, retry_count = 0, requirement = null
    where connection_id = cast(:connection as uuid) and status = 'Abandoned' and requirement like 'setting:%'
    """
)


def settings_changed(conn: Connection, connection_id: str, *, now: dt.datetime) -> int:
    """Abandoned -> Pending for all that waited for a setting of the connection or of its company; how many."""
    return conn.execute(_SETTING_CHANGED, {"connection": connection_id, "now": now}).rowcount


_RETRY = """
    update erp.integration_deliveries
    set status = 'Pending', processed_at = null, scheduled_for = :now, retry_count = 0, requirement = null
    where tenant_id = :tenant and status in ('Abandoned', 'Failed') and {which}
"""


def retry_event(conn: Connection, tenant_id: str, outbox_id: str, *, now: dt.datetime) -> int:
    """A person's retry of one event: its failed and abandoned deliveries are due at once; how many."""
    which = sa.text(_RETRY.format(which="outbox_id = cast(:outbox as uuid)"))
    return conn.execute(which, {"tenant": tenant_id, "outbox": outbox_id, "now": now}).rowcount


def retry_all(conn: Connection, tenant_id: str, provider: str, *, cause: str | None, now: dt.datetime) -> int:
    """A person's retry of everything that failed at one provider, or of all with one cause; how many."""
    which = sa.text(_RETRY.format(which="provider = :provider and (cast(:cause as text) is null or cause = :cause)"))
    values = {"tenant": tenant_id, "provider": provider, "cause": cause, "now": now}
    return conn.execute(which, values).rowcount


def retry_record(
    conn: Connection, tenant_id: str, provider: str, entity_type: str, entity_id: str, *, now: dt.datetime
) -> int:
    """A person's retry of one record: its failed and abandoned deliveries to one provider are due at once; how many."""
    which = sa.text(_RETRY.format(which="provider = :provider and entity_type = :entity and entity_id = :id"))
    values = {"tenant": tenant_id, "provider": provider, "entity": entity_type, "id": entity_id, "now": now}
    return conn.execute(which, values).rowcount


def retry_deliveries(conn: Connection, tenant_id: str, ids: Sequence[str], *, now: dt.datetime) -> int:
    """A person's retry of the deliveries that were picked; how many of them had failed. Ids that cannot be any are none."""
    which = sa.text(_RETRY.format(which="id::text = any(:ids)"))
    return conn.execute(which, {"tenant": tenant_id, "ids": list(ids), "now": now}).rowcount
