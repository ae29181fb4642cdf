"""The note before a write leaves: of the deliveries that it may have happened, of records that are to be made what is sent."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from erp_pipelines.domain.connections import ConnectionKey


@dataclass(frozen=True)
class Sending:
    """A record that is about to leave, as it is, for this delivery."""

    entity_type: str
    entity_id: str
    payload: Mapping[str, Any]
    key_generation: int
    delivery_id: str


# One statement, since it stands before every write. The leases of the owner's other claims are renewed at half time only: with
# every write, all of their rows would be written. Sent again, a record is the same doubt: what was sent first stays.
_MARK = sa.text(
    """
    with marked as (
      update erp.integration_deliveries d
      set in_doubt = d.in_doubt or s.own, sent_at = case when s.own then :now else d.sent_at end, claimed_until = :until
      from (
        select e.id, e.id = any(cast(:ids as uuid[])) as own from erp.integration_deliveries e
        where e.connection_id = :connection and e.status = 'Processing' and e.claimed_by = :owner
      ) s
      where d.id = s.id and d.status = 'Processing' and d.claimed_by = :owner and (
        s.own or d.claimed_until < cast(:now as timestamptz) + (cast(:until as timestamptz) - cast(:now as timestamptz)) / 2)
      returning s.own
    ), all_ours as (
      select count(*) filter (where own) = cardinality(cast(:ids as uuid[])) as are from marked
    ), noted as (
      insert into erp.integration_doubts as d
        (connection_id, entity_type, entity_id, tenant_id, delivery_id, payload, key_generation, sent_at, keyless)
      select :connection, n.entity_type, n.entity_id, :tenant, n.delivery_id, n.payload, n.key_generation, :now, :keyless
      from jsonb_to_recordset(cast(:new as jsonb))
        as n (entity_type text, entity_id text, delivery_id uuid, payload jsonb, key_generation int), all_ours
      where all_ours.are
      on conflict (connection_id, entity_type, entity_id)
      do update set sent_at = excluded.sent_at, keyless = d.keyless or excluded.keyless
    )
    select are from all_ours
    """
)


def mark(
    conn: Connection,
    key: ConnectionKey,
    connection_id: str,
    delivery_ids: Sequence[str],
    owner: str,
    new: Sequence[Sending],
    *,
    now: dt.datetime,
    until: dt.datetime,
    keyless: bool = False,
) -> bool:
    """Note, before writes leave together, that they may have happened, and `new`; of the owner's other leases, renew what is half over.

    False, and nothing of `new` is noted, if any of the deliveries is not the owner's any more.
    """
    values = {
        "connection": connection_id, "tenant": key.tenant_id, "ids": list(delivery_ids), "owner": owner, "now": now,
        "until": until, "keyless": keyless, "new": json.dumps([vars(one) for one in new]),
    }  # fmt: skip
    return bool(conn.execute(_MARK, values).scalar_one())
