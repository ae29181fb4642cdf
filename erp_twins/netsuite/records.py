"""Create, change, upsert, delete and void, for every record type (reference 3.1, 3.3)."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field
from decimal import Decimal

from erp_twins.jsonio import Doc
from erp_twins.netsuite import entities, items, mandatory, orders, sales, settlements, sublists
from erp_twins.netsuite.accounts import Account, Change
from erp_twins.netsuite.bodies import Reader
from erp_twins.netsuite.errors import user_error, wrong_method
from erp_twins.netsuite.headers import refuse_closed
from erp_twins.netsuite.record_types import APPLYING, SALES, TRANSACTIONS, space
from erp_twins.netsuite.schema import RecordType
from erp_twins.netsuite.values import ZERO

_EXTERNAL_ID = re.compile(r"[\w\-]+")  # letters of any script, digits, _ and -


@dataclass(frozen=True)
class Write:
    """One write: the body as it came, who reads it, and the sublists that it replaces."""

    body: Doc
    reader: Reader
    replace: frozenset[str] = field(default_factory=frozenset)


def create(account: Account, kind: RecordType, write: Write) -> Doc:
    return _save(account, kind, _changed(kind, {}, write), None)


def update(account: Account, kind: RecordType, ident: str, write: Write) -> Doc:
    """Change a record; what is not sent stays. 404 when there is none."""
    old = account.find(kind.name, ident)
    refuse_locked(account, kind, old)
    return _save(account, kind, _changed(kind, old, write), old)


def upsert(account: Account, kind: RecordType, external: str, write: Write) -> Doc:
    """Create or update by external id."""
    write.body["externalId"] = external
    held = account.index.holder(space(kind), "externalId", external)
    if held is None or held[0] != kind.name:
        return create(account, kind, write)
    return update(account, kind, held[1], write)


def save_new(account: Account, kind: RecordType, doc: Doc) -> Doc:
    """A new record from values that are read already."""
    return _save(account, kind, doc, None)


def _changed(kind: RecordType, old: Doc, write: Write) -> Doc:
    """The record after the write, before the form works on it."""
    sent = write.reader.record(kind, write.body)
    lines = {name: sent.pop(name) for name in kind.sublists if name in sent}
    doc = sublists.merged_body(copy.deepcopy(old), sent)
    for name, value in lines.items():
        doc[name] = sublists.merged(kind.sublists[name], old.get(name, []), value, replace=name in write.replace)
    return doc


def _save(account: Account, kind: RecordType, doc: Doc, old: Doc | None) -> Doc:
    """Check and complete everything, then commit the record together with what it does to others."""
    if old and old.get("_voided"):
        raise user_error("voided")
    _check_external_id(account, kind, doc)
    _complete(account, kind, doc, old)
    if old is None:
        doc["id"] = account.next_id(kind)
    if old is None and account.actor == "api" and kind.group == "transaction":
        doc["source"] = "restWebServices"
    account.commit(Change(kind, doc, "Update" if old else "Create"), *_effects(account, kind, doc, old))
    return doc


def _check_external_id(account: Account, kind: RecordType, doc: Doc) -> None:
    external = str(doc.get("externalId", ""))
    if not external:
        return
    if not _EXTERNAL_ID.fullmatch(external):
        raise user_error("value", "externalId", field="externalId")
    held = account.index.holder(space(kind), "externalId", external)
    if held and held[1] != doc.get("id"):
        raise user_error("exists")


def _complete(account: Account, kind: RecordType, doc: Doc, old: Doc | None) -> None:
    if kind.name == "customer":
        entities.complete(account, doc, old)
    elif kind.group == "item":
        items.complete(account, kind, doc)
    elif kind.name in SALES:
        sales.complete(account, kind, doc, old)
    elif kind.group == "transaction":
        settlements.complete_payment(account, kind, doc, old)
    else:
        mandatory.check(account, kind, doc)


def _effects(account: Account, kind: RecordType, new: Doc | None, old: Doc | None) -> list[Change]:
    if kind.name == "invoice":
        return orders.billing(account, new, old)
    return settlements.effects(account, new, old) if kind.name in APPLYING else []


def refuse_locked(account: Account, kind: RecordType, doc: Doc) -> None:
    """A record that a workflow has locked cannot even be opened: GET loads it in edit mode."""
    if f"{kind.name}:{doc['id']}" in account.locked:
        raise user_error("locked")


# --- taking away ---


def delete(account: Account, kind: RecordType, ident: str) -> Doc:
    """Remove a record that nothing depends on. Raises Refused."""
    doc = account.find(kind.name, ident)
    refuse_locked(account, kind, doc)
    if kind.posting:
        refuse_closed(account, doc)
    if _dependent(account, kind, doc):
        raise user_error("dependent")
    account.commit(Change(kind, doc, "Delete"), *_effects(account, kind, None, doc))
    return doc


def _dependent(account: Account, kind: RecordType, doc: Doc) -> bool:
    if kind.name == "invoice":
        return bool(doc.get("_applied")) or _made_from(account, doc)
    if kind.name == "salesOrder":
        return any(Decimal(line["quantityBilled"]) for line in doc["item"]) or _made_from(account, doc)
    if kind.group == "transaction":
        return False
    return any(_uses(kind, row, doc["id"]) for one in TRANSACTIONS for row in account.rows(one.name))


def _made_from(account: Account, doc: Doc) -> bool:
    return any(row.get("createdFrom") == doc["id"] for one in TRANSACTIONS for row in account.rows(one.name))


def _uses(kind: RecordType, row: Doc, ident: str) -> bool:
    if kind.group == "entity":
        return settlements.payer(row) == ident
    return any(line.get("item") == ident for line in row.get("item", []))


def void(account: Account, kind: RecordType, ident: str) -> Doc:
    """What was posted stays with all amounts at zero; what it settled, billed or was settled by is released."""
    if not kind.posting:
        raise wrong_method("void")
    old = account.find(kind.name, ident)
    refuse_closed(account, old)
    doc = _zeroed(copy.deepcopy(old))
    effects = _effects(account, kind, {**doc, "apply": [], "item": []}, old)
    account.commit(Change(kind, doc, "Void"), *effects, *_released(account, old))
    return doc


def _zeroed(doc: Doc) -> Doc:
    amounts = ("total", "subtotal", "taxTotal", "discountTotal", "totalAfterTaxes", "payment", "applied", "unapplied")
    for name in (*amounts, "amountRemaining", "amountPaid", "shippingCost", "handlingCost"):
        if name in doc:
            doc[name] = ZERO
    for line in doc.get("item", []):
        line.update(amount=ZERO, grossAmt=ZERO, rate=ZERO, taxAmount=ZERO)
    doc.update(_voided=True, _applied={}, status="V", memo="VOID")
    if "apply" in doc:
        doc["apply"] = []
    return doc


def _released(account: Account, invoice: Doc) -> list[Change]:
    """Payments and credits that lose the voided invoice they were applied to."""
    changes: list[Change] = []
    for ident in invoice.get("_applied", {}):
        for kind in (one for one in TRANSACTIONS if one.name in APPLYING and account.get(one.name, ident)):
            doc = copy.deepcopy(account.find(kind.name, ident))
            doc["apply"] = [line for line in doc["apply"] if line["doc"] != invoice["id"]]
            doc["applied"] = sum((line["amount"] for line in doc["apply"]), ZERO)
            doc["unapplied"] = Decimal(doc.get("payment") or doc.get("total", 0)) - doc["applied"]
            changes.append(Change(kind, doc, "Touch"))
    return changes
