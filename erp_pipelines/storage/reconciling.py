"""A month of orders beside their documents in one ERP, from what is known here: no call is made."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from erp_pipelines.domain.connections import ConnectionKey, ConnectionSettings
from erp_pipelines.domain.orders import OrderStatus
from erp_pipelines.domain.payments import PaymentStatus


class Word(StrEnum):
    """How an order and its document stand to each other. `unknown`: nothing was heard of what the document comes to."""

    EQUAL = "equal"
    NOT_WANTED = "not wanted"
    MISSING = "missing"
    DIFFERS = "differs"
    GONE = "gone"
    CANCELLED = "cancelled here only"
    UNKNOWN = "unknown"


NOTHING = Decimal(0)
IN_ORDER = (Word.EQUAL, Word.NOT_WANTED)

# Says in SQL what `delivery.wanted` says of one order.
_WANTED = """
    o.status not in (:cancelled, :draft) and o.order_date >= coalesce(cast(:start as date), '-infinity')
    and (:documents_when = 'confirmed' or o.payment_status in (:paid, :refunded))
"""
_STANDING = f"""
    with joined as (
      select o.id, o.number, o.order_date, o.currency, o.status, o.total as ours, m.total as theirs, m.external_type,
        m.external_id, m.external_number, {_WANTED} as wanted,
        exists (
          select 1 from erp.integration_drifts d
          where d.tenant_id = o.tenant_id and d.provider = :provider and d.entity_type = 'Order' and d.entity_id = o.id
            and d.field = 'gone') as gone
      from erp.orders o
      left join erp.integration_entity_mappings m
        on m.tenant_id = o.tenant_id and m.provider = :provider and m.entity_type = 'Order' and m.prometheus_id = o.id
      where o.tenant_id = :tenant and o.order_date >= :since and o.order_date < :until
    ), standing as (
      select *, case
        when external_id is null or gone then case when not wanted then 'not wanted' when gone then 'gone' else 'missing' end
        when status = :cancelled and theirs is distinct from 0 then 'cancelled here only'
        when theirs is null then 'unknown'
        when status <> :cancelled and theirs <> ours then 'differs'
        else 'equal' end as word
      from joined
    )
"""
_SUMS = sa.text(
    _STANDING
    + """
    select currency, word, count(*), sum(ours),
      count(*) filter (where external_id is not null and not gone), coalesce(sum(theirs) filter (where not gone), 0)
    from standing group by currency, word order by currency, word
    """
)
_PAGE = sa.text(
    _STANDING
    + """
    select s.id as order_id, s.number, s.order_date, s.currency, s.word, s.ours,
      case when not s.gone then s.theirs end as theirs, s.external_type, s.external_id, s.external_number,
      e.status, e.cause, e.last_error as error, e.mend
    from standing s
    left join lateral (
      select d.status, d.cause, d.last_error, d.mend from erp.integration_deliveries d
      where d.tenant_id = :tenant and d.provider = :provider and d.entity_type = 'Order' and d.entity_id = s.id
        and d.status <> 'Completed'
      order by d.cause is null, d.seq desc limit 1
    ) e on true
    where (:all or s.word not in ('equal', 'not wanted'))
      and (cast(:after_day as date) is null or (s.order_date, s.id) > (:after_day, :after_id))
    order by s.order_date, s.id limit :limit
    """
)


@dataclass(frozen=True)
class Sum:
    """The orders of one currency that stand in one way, and the documents that stand for them."""

    currency: str
    word: Word
    orders: int
    ours: Decimal
    documents: int
    theirs: Decimal


@dataclass(frozen=True)
class Line:
    """One order. The last four are of a delivery of it that is not done: its error, where it has one, explains the word."""

    order_id: str
    number: str
    order_date: dt.date
    currency: str
    word: Word
    ours: Decimal
    theirs: Decimal | None
    external_type: str | None
    external_id: str | None
    external_number: str | None
    status: str | None
    cause: str | None
    error: str | None
    mend: str | None

    @property
    def difference(self) -> Decimal:
        """What the documents come to more than the orders."""
        return (self.theirs or NOTHING) - self.ours


@dataclass(frozen=True)
class Months:
    """The orders of `since` up to, and not with, `until`, at one connection of these settings."""

    key: ConnectionKey
    settings: ConnectionSettings
    since: dt.date
    until: dt.date

    def values(self) -> dict[str, object]:
        return {
            "tenant": self.key.tenant_id, "provider": self.key.provider, "since": self.since, "until": self.until,
            "start": self.settings.start_date, "documents_when": self.settings.documents_when,
            "cancelled": OrderStatus.CANCELLED.value, "draft": OrderStatus.DRAFT.value,
            "paid": PaymentStatus.PAID.value, "refunded": PaymentStatus.REFUNDED.value,
        }  # fmt: skip


def sums(conn: Connection, months: Months) -> list[Sum]:
    """By currency and word."""
    rows = conn.execute(_SUMS, months.values())
    return [Sum(row[0], Word(row[1]), *row[2:]) for row in rows]


def page(
    conn: Connection, months: Months, *, everything: bool, after: tuple[dt.date, str] | None, limit: int
) -> list[Line]:
    """The orders that are not in order, or all, by date and id; `after` names the last one of the page before."""
    day, order_id = after or (None, None)
    values = months.values() | {"all": everything, "after_day": day, "after_id": order_id, "limit": limit}
    return [Line(**{**row, "word": Word(row["word"])}) for row in conn.execute(_PAGE, values).mappings()]
