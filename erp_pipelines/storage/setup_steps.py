"""The steps of setting a connection up that a person has taken, for one company."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from erp_pipelines.domain.connections import ConnectionKey

_TAKEN = sa.text(
    """
    select step, taken_at from erp.integration_setup_steps
    where tenant_id = :tenant and provider = :provider and external_company_id = :company
    """
)
_TAKE = sa.text(
    """
    insert into erp.integration_setup_steps (tenant_id, provider, external_company_id, step, taken_at, taken_by)
    values (:tenant, :provider, :company, :step, :now, :by)
    on conflict (tenant_id, provider, external_company_id, step) do update
    set taken_at = excluded.taken_at, taken_by = excluded.taken_by
    """
)


def taken(conn: Connection, key: ConnectionKey, company_id: str) -> dict[str, dt.datetime]:
    """When each step was taken last; those never taken are left out."""
    rows = conn.execute(_TAKEN, _scope(key, company_id))
    return {row.step: row.taken_at for row in rows}


def take(conn: Connection, key: ConnectionKey, company_id: str, step: str, *, by: str, now: dt.datetime) -> None:
    conn.execute(_TAKE, _scope(key, company_id) | {"step": step, "by": by, "now": now})


def _scope(key: ConnectionKey, company_id: str) -> dict[str, object]:
    return {"tenant": key.tenant_id, "provider": key.provider, "company": company_id}
