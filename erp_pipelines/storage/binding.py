"""A record is bound to the ERP's that stands for it; with that, any doubt about it ends and what waited for it is due."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import Rejected


@dataclass(frozen=True)
class Pair:
    """One of our records, and the ERP's that stands for it: how it looks there, and what was last sent (`fingerprint`)."""

    entity_type: str
    entity_id: str
    external_id: str
    external_type: str
    number: str | None = None
    sync_token: str | None = None
    fingerprint: str | None = None
    balance: Decimal | None = None
    total: Decimal | None = None
    updated_at: dt.datetime | None = None
    snapshot: dict[str, str] | None = None

    @property
    def requirement(self) -> str:
        """What a delivery waits for when this record is missing in the ERP."""
        return requirement(self.entity_type, self.entity_id)


def requirement(entity_type: str, entity_id: str) -> str:
    """What a delivery waits for when this record of ours is missing in the ERP."""
    return f"mapping:{entity_type}:{entity_id}"


# One statement, since it stands after every write; the parts of it see each other's work by nothing but `pairs`.
_BIND = sa.text(
    """
    with pairs as (
      select * from jsonb_to_recordset(cast(:pairs as jsonb)) as p (
        entity_type text, entity_id text, external_id text, external_type text, number text, sync_token text,
        fingerprint text, balance numeric, total numeric, updated_at timestamptz, snapshot jsonb)
    ), bound as (
      insert into erp.integration_entity_mappings as m
        (tenant_id, provider, entity_type, prometheus_id, external_id, external_type, external_number, sync_token,
         fingerprint, snapshot, balance, total, external_updated_at, last_sync_at)
      select :tenant, :provider, p.entity_type, p.entity_id, p.external_id, p.external_type, p.number, p.sync_token,
         p.fingerprint, p.snapshot, p.balance, p.total, p.updated_at, :now
      from pairs p
      on conflict (tenant_id, provider, entity_type, prometheus_id) do update
      set external_id = excluded.external_id, external_type = excluded.external_type,
          external_number = coalesce(excluded.external_number, m.external_number), sync_token = excluded.sync_token,
          fingerprint = excluded.fingerprint, snapshot = excluded.snapshot, balance = coalesce(excluded.balance, m.balance),
          total = coalesce(excluded.total, m.total),
          external_updated_at = coalesce(excluded.external_updated_at, m.external_updated_at), last_sync_at = :now,
          moved_at = null, moved_versions = 0
    ), ended as (
      delete from erp.integration_doubts
      where connection_id = :connection and (entity_type, entity_id) in (select entity_type, entity_id from pairs)
    )
    update erp.integration_deliveries
    set status = 'Pending', processed_at = null, scheduled_for = :now, retry_count = 0, requirement = null
    where connection_id = :connection and status = 'Abandoned' and requirement = any(:requirements)
    """
)


def bind(conn: Connection, key: ConnectionKey, connection_id: str, pairs: Sequence[Pair], *, now: dt.datetime) -> None:
    """Store or renew the pairs, each of another record; any doubt about them ends, and what waited for them is due.

    Raises Rejected when one of the ERP's records stands for another of ours already.
    """
    values = {
        "tenant": key.tenant_id, "provider": key.provider, "connection": connection_id, "now": now,
        "pairs": json.dumps([vars(pair) for pair in pairs], default=str),
        "requirements": [pair.requirement for pair in pairs],
    }  # fmt: skip
    try:
        conn.execute(_BIND, values)
    except sa.exc.IntegrityError as error:
        raise _shared(pairs) from error


def _shared(pairs: Sequence[Pair]) -> Rejected:
    """Of several, PostgreSQL does not say which one it was."""
    one = pairs[0]
    there = f"{one.external_type} {one.number or one.external_id}" if len(pairs) == 1 else "One of these records"
    return Rejected(
        f"{there} stands for another {one.entity_type} of yours already.",
        cause="shared-record",
        mend=f"Give {one.entity_type} {one.entity_id} a name of its own, or merge the two.",
        definitive=False,
    )
