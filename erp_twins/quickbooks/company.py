"""The state of one company file: documents, counters, deletions, history and stored answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from erp_twins.clock import TwinClock
from erp_twins.jsonio import Doc
from erp_twins.ledger import Ledger
from erp_twins.quickbooks import faults
from erp_twins.quickbooks.books import book
from erp_twins.quickbooks.config import CompanySettings
from erp_twins.quickbooks.entities import DOUBLE_KEYS, NAMES, SCHEMAS
from erp_twins.quickbooks.index import UniqueIndex
from erp_twins.switches import changed


@dataclass(frozen=True)
class Change:
    """One document about to be committed. `operation` is a word of the webhook table, `doc` the whole new document."""

    entity: str
    doc: Doc
    operation: str
    deleted_id: str = ""


@dataclass(frozen=True)
class Actor:
    """Who changes things: the API on behalf of an app, or a person in the product."""

    source: str = "api"
    requestid: str = ""


@dataclass
class Company:
    """One realm. Not locked: the twin's lock guards it."""

    realm: str
    settings: CompanySettings
    clock: TwinClock
    tables: dict[str, dict[str, Doc]] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
    tombstones: list[Doc] = field(default_factory=list)
    history: list[Doc] = field(default_factory=list)
    answers: dict[str, Doc] = field(default_factory=dict)
    deposited: list[str] = field(default_factory=list)
    listener: Callable[[Company, Change, str], None] | None = None
    index: UniqueIndex = field(default_factory=UniqueIndex)
    actor: Actor = field(default_factory=Actor)
    hidden: set[tuple[str, str]] = field(default_factory=set)

    # --- reading ---

    def rows(self, entity: str) -> list[Doc]:
        """Every stored document of a type, inactive ones included, oldest first."""
        return [doc for key, doc in self.tables.get(entity, {}).items() if (entity, key) not in self.hidden]

    def get(self, entity: str, ident: object) -> Doc | None:
        key = str(ident)
        return None if (entity, key) in self.hidden else self.tables.get(entity, {}).get(key)

    def find(self, entity: str, ident: object) -> Doc:
        """The document, or fault 610."""
        doc = self.get(entity, ident)
        if doc is None:
            raise faults.not_found(entity, str(ident))
        return doc

    def holder(self, namespace: str, name: str) -> tuple[str, str] | None:
        """Entity and Id that hold a unique key (`names`, `items`, or `numbers:<Entity>`)."""
        return self.index.holder(namespace, name)

    def now(self) -> datetime:
        """The present moment in the company's zone."""
        return self.clock.now().astimezone(ZoneInfo(self.settings.time_zone))

    def today(self) -> str:
        return self.now().date().isoformat()

    # --- writing ---

    def next_id(self, entity: str) -> str:
        counter = SCHEMAS[entity].counter or entity
        self.counters[counter] = self.counters.get(counter, 100 if counter == "Txn" else 0) + 1
        return str(self.counters[counter])

    def next_address(self) -> str:
        self.counters["Address"] = self.counters.get("Address", 0) + 1
        return str(self.counters["Address"])

    def account(self, name: str) -> str:
        """The Id of a seeded account, empty when a person has renamed it."""
        return next((doc["Id"] for doc in self.accounts if doc["Name"] == name), "")

    def commit(self, changes: list[Change]) -> None:
        """Store changes, in order, as one step: nothing here can be refused any more."""
        for change in changes:
            if change.operation in {"Remove", "Vanish"}:
                self._remove(change)
            else:
                self._store(change)

    def _store(self, change: Change) -> None:
        old = self.tables.setdefault(change.entity, {}).get(change.doc["Id"])
        moment = self.now().isoformat(timespec="seconds")
        created = old["MetaData"]["CreateTime"] if old else moment
        change.doc["SyncToken"] = str(int(old["SyncToken"]) + 1) if old else "0"
        change.doc["MetaData"] = {"CreateTime": created, "LastUpdatedTime": moment}
        self.tables[change.entity][change.doc["Id"]] = change.doc
        self.index.move(change.entity, old, change.doc)
        book(self, change.entity, old, change.doc)
        self._note(change, change.doc["SyncToken"])

    def _remove(self, change: Change) -> None:
        ident = change.doc["Id"]
        old = self.tables[change.entity].pop(ident)
        self.index.move(change.entity, old, None)
        book(self, change.entity, old, None)
        self.tombstones.append({"entity": change.entity, "Id": ident, "time": self.now().isoformat(timespec="seconds")})
        self._note(
            replace(change, operation="Delete" if change.operation == "Remove" else "Merged away"), old["SyncToken"]
        )

    def _note(self, change: Change, token: str) -> None:
        """History and webhooks."""
        self.history.append(
            {
                "seq": len(self.history) + 1,
                "entity": change.entity,
                "id": change.doc["Id"],
                "operation": change.operation,
                "syncToken": token,
                "requestid": self.actor.requestid,
                "source": self.actor.source,
                "time": self.now().isoformat(timespec="milliseconds"),
            }
        )
        if self.listener:
            self.listener(self, change, self.actor.source)

    @contextmanager
    def acting(self, source: str, requestid: str = "") -> Iterator[None]:
        """Marks what is committed inside as done by this source."""
        before, self.actor = self.actor, Actor(source, requestid)
        try:
            yield
        finally:
            self.actor = before

    # --- looking in, for tests ---

    def ledger(self) -> Ledger:
        documents = {entity: self.rows(entity) for entity in SCHEMAS}
        return Ledger(self.realm, documents, list(self.history), DOUBLE_KEYS)

    @property
    def customers(self) -> list[Doc]:
        return self.rows("Customer")

    @property
    def items(self) -> list[Doc]:
        return self.rows("Item")

    @property
    def invoices(self) -> list[Doc]:
        return self.rows("Invoice")

    @property
    def payments(self) -> list[Doc]:
        return self.rows("Payment")

    @property
    def credit_memos(self) -> list[Doc]:
        return self.rows("CreditMemo")

    @property
    def accounts(self) -> list[Doc]:
        return self.rows("Account")

    def named(self, name: str) -> Doc | None:
        """The active or inactive customer, vendor or employee with this DisplayName."""
        held = self.holder("names", name)
        return self.tables[held[0]][held[1]] if held and held[0] in NAMES else None

    # --- keeping ---

    def state(self) -> dict[str, Any]:
        kept = ("realm", "tables", "counters", "tombstones", "history", "answers", "deposited")
        return {"settings": asdict(self.settings), **{name: getattr(self, name) for name in kept}}

    @classmethod
    def revived(cls, state: dict[str, Any], clock: TwinClock) -> Company:
        """A company as `state` gave it."""
        company = cls(state["realm"], changed(CompanySettings(), state["settings"]), clock)
        company._restore(state)
        return company

    def _restore(self, state: dict[str, Any]) -> None:
        for name in ("tables", "counters", "tombstones", "history", "answers", "deposited"):
            setattr(self, name, state[name])
        for entity, rows in self.tables.items():
            for doc in rows.values():
                self.index.move(entity, None, doc)
