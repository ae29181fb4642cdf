"""The state of one account: records, counters, deletions, history, and who sees which change when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from erp_twins.clock import TwinClock
from erp_twins.jsonio import Doc
from erp_twins.ledger import Ledger
from erp_twins.netsuite import roles
from erp_twins.netsuite.config import AccountSettings
from erp_twins.netsuite.errors import no_such_record
from erp_twins.netsuite.index import Index
from erp_twins.netsuite.record_types import TYPES, space
from erp_twins.netsuite.roles import Role
from erp_twins.netsuite.schema import RecordType
from erp_twins.switches import changed

Operation = Literal["Create", "Update", "Delete", "Void", "Touch"]
_COUNTED_FROM = {"entity": 100, "item": 200, "transaction": 1000}
_DOUBLE_KEYS = {
    "customer": ("entityId",),
    "customerPayment": ("externalId",),
    **{name: ("itemId",) for name, kind in TYPES.items() if kind.group == "item"},
}


@dataclass(frozen=True)
class Change:
    """One record about to be committed: `doc` is the whole new record, or the last state of a deleted one."""

    kind: RecordType
    doc: Doc
    operation: Operation


@dataclass(frozen=True)
class Shadow:
    """What others still see of a record whose change has not reached them: None where there was none before."""

    until: datetime
    doc: Doc | None


@dataclass
class Account:
    """One account. Not locked: the twin's lock guards it. Stored records are replaced, never changed."""

    ident: str
    settings: AccountSettings
    clock: TwinClock
    tables: dict[str, dict[str, Doc]] = field(default_factory=lambda: defaultdict(dict))
    counters: dict[str, int] = field(default_factory=dict)
    deleted: list[Doc] = field(default_factory=list)
    history: list[Doc] = field(default_factory=list)
    locked: list[str] = field(default_factory=list)
    jobs: dict[str, Doc] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=roles.usual)
    index: Index = field(default_factory=Index)
    versions: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    actor: str = "api"
    delay: timedelta = timedelta(0)
    _shadows: dict[tuple[str, str], list[Shadow]] = field(default_factory=dict)

    # --- settings and time ---

    def has(self, feature: str) -> bool:
        """Whether a feature is on; `one_world`, `suite_tax` and `legacy_tax` count as features."""
        if feature == "legacy_tax":
            return not self.settings.suite_tax
        return bool(getattr(self.settings, feature, False)) or feature in self.settings.features

    def now(self) -> datetime:
        return self.clock.now().astimezone(UTC)

    def stamp(self) -> str:
        """The present moment as records show it: UTC, whole seconds."""
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def today(self) -> date:
        return self.clock.now().astimezone(ZoneInfo(self.settings.zone)).date()

    # --- what is stored ---

    def rows(self, name: str) -> list[Doc]:
        return list(self.tables[name].values())

    def get(self, name: str, ident: str) -> Doc | None:
        return self.tables[name].get(ident)

    def find(self, name: str, ident: str) -> Doc:
        """The stored record with this id (`eid:` in front: this external id). 404 when there is none."""
        doc = self.get(name, self.resolved(name, ident))
        if doc is None:
            raise no_such_record()
        return doc

    def resolved(self, name: str, ident: str) -> str:
        """The internal id of an `eid:` form; other ids as they are. Empty when the external id is not known."""
        if not ident.lower().startswith("eid:"):
            return ident
        held = self.index.holder(space(TYPES[name]), "externalId", ident[4:])
        return held[1] if held and held[0] == name else ""

    # --- what readers see ---

    def seen(self, name: str, ident: str) -> Doc | None:
        self.settle()
        shadow = self._shadows.get((name, ident))
        return shadow[0].doc if shadow else self.get(name, ident)

    def seen_rows(self, name: str) -> list[Doc]:
        """By internal id, ascending."""
        self.settle()
        idents = {*self.tables[name], *(ident for kind, ident in self._shadows if kind == name)}
        docs = (self.seen(name, ident) for ident in sorted(idents, key=lambda ident: (len(ident), ident)))
        return [doc for doc in docs if doc is not None]

    def seen_deletions(self) -> list[Doc]:
        self.settle()
        hidden = {ident for (_, ident), shadow in self._shadows.items() if shadow[-1].doc}
        return [row for row in self.deleted if row["recordid"] not in hidden]

    def settle(self) -> None:
        """Let changes whose time has come be seen."""
        if not self._shadows:
            return
        now = self.now()
        for key, shadows in list(self._shadows.items()):
            left = [shadow for shadow in shadows if shadow.until > now]
            if len(left) != len(shadows):
                self._shadows[key] = left
                self.versions[key[0]] += 1
            if not left:
                del self._shadows[key]

    # --- writing ---

    def next_number(self, counter: str) -> int:
        self.counters[counter] = self.counters.get(counter, _COUNTED_FROM.get(counter, 0)) + 1
        return self.counters[counter]

    def next_id(self, kind: RecordType) -> str:
        return str(self.next_number(space(kind)))

    def commit(self, *changes: Change) -> None:
        """Store changes, in order, as one step: nothing here can be refused any more."""
        for change in changes:
            old = self.get(change.kind.name, change.doc["id"])
            self._shade(change.kind.name, change.doc["id"], old)
            if change.operation == "Delete":
                self._remove(change)
            else:
                change.doc["lastModifiedDate"] = self.stamp()
                self.tables[change.kind.name][change.doc["id"]] = change.doc
                self.index.move(change.kind, old, change.doc)
            self.versions[change.kind.name] += 1
            self._note(change)

    def _shade(self, name: str, ident: str, old: Doc | None) -> None:
        if self.delay:
            shadow = Shadow(self.now().replace(microsecond=0) + self.delay, old)
            self._shadows.setdefault((name, ident), []).append(shadow)

    def _remove(self, change: Change) -> None:
        del self.tables[change.kind.name][change.doc["id"]]
        self.index.move(change.kind, change.doc, None)
        self.deleted.append(
            {
                "recordid": change.doc["id"],
                "recordtypeid": change.kind.number,
                "scriptid": change.kind.segment,
                "type": change.kind.title,
                "name": change.doc.get("tranId") or change.doc.get("entityId") or change.doc.get("itemId", ""),
                "deleteddate": self.stamp(),
                "context": "RESTWebServices" if self.actor == "api" else "UserInterface",
            }
        )

    def _note(self, change: Change) -> None:
        self.history.append(
            {
                "seq": len(self.history) + 1,
                "entity": change.kind.name,
                "id": change.doc["id"],
                "operation": change.operation,
                "externalId": change.doc.get("externalId", ""),
                "source": self.actor,
                "time": self.now().isoformat(timespec="milliseconds"),
            }
        )

    @contextmanager
    def acting(self, source: str, delay_seconds: int = 0) -> Iterator[None]:
        """Marks what is committed inside as done by this source, and seen by others so much later."""
        before = self.actor, self.delay
        self.actor, self.delay = source, timedelta(seconds=delay_seconds)
        try:
            yield
        finally:
            self.actor, self.delay = before

    # --- looking in, for tests ---

    def ledger(self) -> Ledger:
        documents = {
            name: [public(doc) for doc in self.rows(name)] for name, kind in TYPES.items() if kind.group != "list"
        }
        return Ledger(self.ident, documents, list(self.history), _DOUBLE_KEYS, "externalId")

    # --- keeping ---

    def state(self) -> Doc:
        names = ("ident", "counters", "deleted", "history", "locked", "jobs")
        kept = {name: getattr(self, name) for name in names}
        held = {key: asdict(role) for key, role in self.roles.items()}
        return {"settings": asdict(self.settings), "tables": dict(self.tables), "roles": held, **kept}

    @classmethod
    def revived(cls, state: dict[str, Any], clock: TwinClock) -> Account:
        """An account as `state` gave it; what was still on its way to readers has arrived."""
        account = cls(state["ident"], changed(AccountSettings(), state["settings"]), clock)
        for name in ("counters", "deleted", "history", "locked", "jobs"):
            setattr(account, name, state[name])
        account.roles = {key: Role.revived(row) for key, row in state["roles"].items()}
        for name, rows in state["tables"].items():
            account.tables[name].update(rows)
            for doc in rows.values():
                account.index.move(TYPES[name], None, doc)
        return account


def public(doc: Doc) -> Doc:
    """A record without what the twin keeps in it for itself."""
    return {name: value for name, value in doc.items() if not name.startswith("_")}
