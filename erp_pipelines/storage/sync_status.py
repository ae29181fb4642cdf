"""How one record stands with every ERP of its tenant: its newest delivery and its mapping, side by side."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection


@dataclass(frozen=True)
class Standing:
    """One record at one provider. The delivery's parts are None when it was never to be sent there,
    the mapping's when it does not stand there.
    """

    provider: str
    status: str | None
    outcome: str | None
    in_doubt: bool | None
    scheduled_for: dt.datetime | None
    last_error: str | None
    mend: str | None
    cause: str | None
    owner: str | None
    retriable: bool | None
    external_id: str | None
    external_type: str | None
    external_number: str | None
    last_sync_at: dt.datetime | None


@dataclass(frozen=True)
class Subject:
    """The record that is asked about. `customer_id` says whose it is; `payment_status` only orders have."""

    customer_id: str | None
    payment_status: str | None


_STANDINGS = sa.text(
    """
    select c.provider, d.status, d.outcome, d.in_doubt, d.scheduled_for, d.last_error, d.mend,
      d.cause, d.owner, d.retriable,
      m.external_id, m.external_type, m.external_number, m.last_sync_at
    from erp.integration_connections c
    left join lateral (
      select * from erp.integration_deliveries
      where tenant_id = :tenant and entity_type = :entity and entity_id = :id and connection_id = c.id
      order by seq desc limit 1
    ) d on true
    left join erp.integration_entity_mappings m
      on m.tenant_id = :tenant and m.provider = c.provider and m.entity_type = :entity and m.prometheus_id = :id
    where c.tenant_id = :tenant and (c.is_active or m.id is not null)
    order by c.provider
    """
)
# A host with tables of its own is known by its newest event.
_ORDER = sa.text(
    """
    (select customer_id, payment_status, 0 as place, 0 as seq from erp.orders where tenant_id = :tenant and id = :id)
    union all
    (select payload ->> 'customerId', payload ->> 'paymentStatus', 1, seq from erp.integration_outbox
     where tenant_id = :tenant and entity_type = 'Order' and entity_id = :id order by seq desc limit 1)
    order by place limit 1
    """
)
_CUSTOMER = sa.text(
    """
    select exists (select 1 from erp.customers where tenant_id = :tenant and id = :id)
      or exists (select 1 from erp.integration_outbox
                 where tenant_id = :tenant and entity_type = 'Customer' and entity_id = :id)
    """
)


def standings(conn: Connection, tenant_id: str, entity_type: str, entity_id: str) -> list[Standing]:
    """One for each ERP that is connected or holds the record, by provider."""
    values = {"tenant": tenant_id, "entity": entity_type, "id": entity_id}
    return [Standing(*row) for row in conn.execute(_STANDINGS, values)]


def order(conn: Connection, tenant_id: str, order_id: str) -> Subject | None:
    """None for an order that the tenant does not have."""
    row = conn.execute(_ORDER, {"tenant": tenant_id, "id": order_id}).first()
    return None if row is None else Subject(row.customer_id, row.payment_status)


def customer(conn: Connection, tenant_id: str, customer_id: str) -> Subject | None:
    """None for a customer that the tenant does not have."""
    known = conn.execute(_CUSTOMER, {"tenant": tenant_id, "id": customer_id}).scalar_one()
    return Subject(customer_id, None) if known else None
