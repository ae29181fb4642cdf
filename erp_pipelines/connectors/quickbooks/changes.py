"""What changed in the company since the last look: one CDC call while little did, a pass by entity where that falls short.

CDC says nothing of what is beyond its 1000 rows and refuses moments over 30 days ago. Queries page on without end, but
know no deletions, so CDC is asked first, and each entity alone before it is queried.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace

from erp_pipelines.connectors.base import Changed, ChangePage, ExternalRef
from erp_pipelines.connectors.quickbooks.client import MOST_ROWS, QuickBooksClient
from erp_pipelines.connectors.quickbooks.wire import ChangedDoc

STREAM = "changes"
ENTITIES = ("Customer", "Item", "Invoice", "Payment")
# A write under way may be stamped before its commit; QuickBooks' server works on one for up to two minutes.
OVERLAP = dt.timedelta(minutes=3)
LOOK_BACK = dt.timedelta(days=29)


@dataclass(frozen=True)
class Pass:
    """A pass over the entities one by one, for what changed at or after `start`. Queried by time from `after` on."""

    start: dt.datetime
    began: dt.datetime
    entity: str
    after: dt.datetime | None = None
    position: int = 1

    def cursor(self) -> str:
        after = _stamp(self.after) if self.after else ""
        return "|".join((_stamp(self.start), _stamp(self.began), self.entity, after, str(self.position)))

    @classmethod
    def read(cls, cursor: str) -> Pass:
        start, began, entity, after, position = cursor.split("|")
        return cls(_moment(start), _moment(began), entity, _moment(after) if after else None, int(position))

    def next_entity(self) -> Pass | None:
        following = ENTITIES[ENTITIES.index(self.entity) + 1 :]
        return Pass(self.start, self.began, following[0]) if following else None


def page(client: QuickBooksClient, cursor: str | None, since: dt.datetime, now: dt.datetime) -> ChangePage:
    """The cursor is a moment, or a place in a pass."""
    if cursor and "|" in cursor:
        return _passing(client, Pass.read(cursor))
    start = _moment(cursor) if cursor else since
    if now - start <= LOOK_BACK:
        found = client.changed(ENTITIES, _stamp(start))
        if sum(map(len, found.values())) < MOST_ROWS:
            changed = (one for entity, rows in found.items() for one in _changed(entity, rows))
            return ChangePage(tuple(changed), _stamp(max(start, now - OVERLAP)))
    return _passing(client, Pass(start, now, ENTITIES[0]))


def _passing(client: QuickBooksClient, here: Pass) -> ChangePage:
    if here.after is not None:
        return _queried(client, here, here.after)
    if here.began - here.start <= LOOK_BACK:
        rows = client.changed((here.entity,), _stamp(here.start))[here.entity]
        if len(rows) < MOST_ROWS:
            return _on(here, rows, here.next_entity())
    return _queried(client, here, here.start)


def _queried(client: QuickBooksClient, here: Pass, after: dt.datetime) -> ChangePage:
    """The next thousand of one entity by time of change, the bound included: rows of its second come again."""
    rows = client.changed_at(here.entity, _stamp(after), here.position)
    latest = max((row.updated_at for row in rows if row.updated_at), default=after)
    if len(rows) < MOST_ROWS:
        return _on(here, rows, here.next_entity())
    if latest > after:
        return _on(here, rows, replace(here, after=latest, position=1))
    return _on(here, rows, replace(here, after=after, position=here.position + MOST_ROWS))


def _on(here: Pass, rows: Iterable[ChangedDoc], there: Pass | None) -> ChangePage:
    cursor = there.cursor() if there else _stamp(max(here.start, here.began - OVERLAP))
    return ChangePage(tuple(_changed(here.entity, rows)), cursor, more=there is not None)


def _changed(entity: str, rows: Iterable[ChangedDoc]) -> Iterable[Changed]:
    for row in rows:
        if row.updated_at:
            ref, deleted = ExternalRef(entity, row.id), row.status == "Deleted"
            yield Changed(ref, row.updated_at, deleted, row.sync_token, row.balance)


def _stamp(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="seconds")


def _moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)
