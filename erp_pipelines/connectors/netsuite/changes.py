"""What changed in the account since the last look, by SuiteQL, in the account's own clock time.

SuiteQL's moments have no zone, whole seconds, and are stamped before their commit. So a pass reads everything stamped from
some time before the end of the last one, up to a little before now, page by page after the last (stamp, id): never by
offset, which ends at 100,000 rows and loses some where rows move. Where the clocks were set back in between, it begins an hour
earlier: the same times came twice. A row of the doubled hour has two possible moments; the later one is told as soon as it has
passed, so such a row may come twice, once with each.

While the account's zone is only supposed, there is no "now": a pass goes to the newest row, and the next one begins before
that row, an hour earlier still. Nothing is missed then either, but more is read again.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from erp_pipelines.connectors.base import Changed, ChangePage, ExternalRef
from erp_pipelines.connectors.netsuite.client import MOST_ROWS, NetSuiteClient, Row
from erp_pipelines.connectors.netsuite.config import NetSuiteConfig
from erp_pipelines.connectors.netsuite.truth import RECORD_TYPES, TYPE_CODES
from erp_pipelines.connectors.netsuite.zones import SQL_FORMAT, Zone, parse, show

STREAMS = ("transactions", "customers", "deleted")
_ONE_HOUR = dt.timedelta(hours=1)
_A_DAY = dt.timedelta(days=1)
_TYPES = ", ".join(f"'{code}'" for code in sorted(RECORD_TYPES))
# Names of what can be deleted, however `deletedrecord` writes them: "salesorder", "Sales Order".
_DELETED = {name.lower(): name for name in (*TYPE_CODES, "customer")}


@dataclass(frozen=True)
class Stream:
    """Where a kind of changes is read: the table, its stamp and id, what is told of the row's type, and which rows count.

    `unique`: no two rows have the same stamp and id.
    """

    table: str
    stamp: str
    ident: str
    kind: str
    condition: str = ""
    unique: bool = True


_SOURCES = {
    "transactions": Stream("transaction", "lastmodifieddate", "id", "type", f"type IN ({_TYPES})"),
    "customers": Stream("customer", "lastmodifieddate", "id", "'customer'"),
    "deleted": Stream("deletedrecord", "deleteddate", "recordid", "scriptid", unique=False),
}


@dataclass(frozen=True)
class Pass:
    """A place in a pass: rows after (`stamp`, `ident`) up to `high`. `seen` is where the passes before, and this one so far, have come to."""

    seen: dt.datetime
    high: dt.datetime | None
    stamp: dt.datetime
    ident: int

    def cursor(self) -> str:
        high = show(self.high) if self.high else ""
        return "|".join((show(self.seen), high, show(self.stamp), str(self.ident)))

    @classmethod
    def read(cls, cursor: str) -> Pass:
        seen, high, stamp, ident = cursor.split("|")
        return cls(parse(seen), parse(high) if high else None, parse(stamp), int(ident))


@dataclass(frozen=True)
class Pull:
    """A look at one account at one moment."""

    client: NetSuiteClient
    config: NetSuiteConfig
    zone: Zone
    now: dt.datetime

    def page(self, stream: str, cursor: str | None, since: dt.datetime) -> ChangePage:
        """The cursor is the moment up to which all was seen, or a place in a pass."""
        here = Pass.read(cursor) if cursor and "|" in cursor else self._begin(cursor, since)
        source = _SOURCES[stream]
        rows = self.client.query(_statement(source, here))
        changed = tuple(found for row in rows if (found := self._changed(stream, row)) is not None)
        if not rows:
            return ChangePage(changed, show(here.high or here.seen))
        last = parse(rows[-1]["at"])
        if len(rows) == MOST_ROWS:
            there = replace(here, seen=self._later(here.seen, last), stamp=last, ident=int(rows[-1]["id"]))
            return ChangePage(changed, there.cursor(), more=True)
        return ChangePage(changed, show(here.high or self._later(here.seen, last)))

    def _begin(self, cursor: str | None, since: dt.datetime) -> Pass:
        seen = parse(cursor) if cursor else self._first(since)
        low = seen - dt.timedelta(seconds=self.config.late_commit_seconds) - self._set_back(seen)
        return Pass(seen, self._high(), low, 0)

    def _first(self, since: dt.datetime) -> dt.datetime:
        """Without a proven zone, early enough for any."""
        shown = self.zone.local(since).replace(microsecond=0)
        return shown if self.zone.proven else shown - _A_DAY

    def _high(self) -> dt.datetime | None:
        """What is younger may not be all there yet. Where the zone is not known for certain, nobody knows what is younger."""
        lag = dt.timedelta(seconds=self.config.safety_lag_seconds)
        return (self.zone.local(self.now) - lag).replace(microsecond=0) if self.zone.proven else None

    def _set_back(self, seen: dt.datetime) -> dt.timedelta:
        """By how much the account's clocks were set back since they showed that."""
        if not self.zone.proven:
            return _ONE_HOUR
        offset = self.now.astimezone(self.zone.info).utcoffset() or dt.timedelta()
        return max(self.zone.offset(seen) - offset, dt.timedelta())

    def _later(self, seen: dt.datetime, last: dt.datetime) -> dt.datetime:
        """Clocks that were set back show less than was seen before."""
        return last if self._set_back(seen) else max(seen, last)

    def _changed(self, stream: str, row: Row) -> Changed | None:
        kind = row.get("kind", "")
        record_type = _DELETED.get(kind.replace(" ", "").lower()) if stream == "deleted" else RECORD_TYPES.get(kind, kind)  # fmt: skip
        if record_type is None:
            return None
        at = self.zone.moment(parse(row["at"]), self.now)
        return Changed(ExternalRef(record_type, row["id"]), at, deleted=stream == "deleted")


def _statement(source: Stream, here: Pass) -> str:
    """The next thousand rows. Names are this module's own, stamps and ids were read as such."""
    stamp, ident = source.stamp, source.ident
    after = ">" if source.unique else ">="
    conditions = [
        source.condition,
        f"{stamp} >= {_moment(here.stamp)}",
        f"({stamp} > {_moment(here.stamp)} OR {ident} {after} {here.ident})",
        f"{stamp} <= {_moment(here.high)}" if here.high else "",
    ]
    return (
        f"SELECT {ident} AS id, {source.kind} AS kind, TO_CHAR({stamp}, '{SQL_FORMAT}') AS at FROM {source.table} "  # noqa: S608
        f"WHERE {' AND '.join(one for one in conditions if one)} ORDER BY {stamp}, {ident}"
    )


def _moment(shown: dt.datetime) -> str:
    return f"TO_DATE('{show(shown)}', '{SQL_FORMAT}')"
