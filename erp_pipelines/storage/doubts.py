"""Doubts: a record was sent to be made in the ERP, and its answer has not been stored.

A doubt belongs to the record, not to the event: whoever sends the record next must first find out what became of
what was sent, as it was then, under the name and number that it had then.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection


@dataclass(frozen=True)
class Doubt:
    """What was sent, when last, and in which generation of its request key.

    `keyless`: it once went under a key that it shared with others, so a repeat under its own would not be told as one.
    """

    payload: Mapping[str, Any]
    key_generation: int
    sent_at: dt.datetime
    keyless: bool = False


_OF_RECORD = "where connection_id = :connection and entity_type = :entity and entity_id = :id"
_FIND = sa.text(f"select payload, key_generation, sent_at, keyless from erp.integration_doubts {_OF_RECORD}")
_END = sa.text(
    """
    delete from erp.integration_doubts
    where connection_id = :connection
      and (entity_type, entity_id) in (select * from unnest(cast(:entities as text[]), cast(:ids as text[])))
    """
)
_END_NOTED_BY = sa.text("delete from erp.integration_doubts where delivery_id = :delivery")


def find(conn: Connection, connection_id: str, entity_type: str, entity_id: str) -> Doubt | None:
    row = conn.execute(_FIND, {"connection": connection_id, "entity": entity_type, "id": entity_id}).one_or_none()
    return None if row is None else Doubt(*row)


def end(conn: Connection, connection_id: str, records: Sequence[tuple[str, str]]) -> None:
    """It is known now what became of the records, each named by its kind and id."""
    values = {"connection": connection_id, "entities": [one[0] for one in records], "ids": [one[1] for one in records]}
    conn.execute(_END, values)


def end_noted_by(conn: Connection, delivery_id: str) -> None:
    """What this delivery noted did not happen: the ERP, or the network, has said so."""
    conn.execute(_END_NOTED_BY, {"delivery": delivery_id})
