"""Customers: names and numbers, address book, what they owe (reference 4.1)."""

from __future__ import annotations

from decimal import Decimal

from erp_twins.jsonio import Doc
from erp_twins.netsuite import mandatory
from erp_twins.netsuite.accounts import Account
from erp_twins.netsuite.errors import missing, user_error
from erp_twins.netsuite.record_types import TYPES
from erp_twins.netsuite.values import ZERO

_FLAGS = ("defaultBilling", "defaultShipping")
_NUMBERED_FROM = 1000


def complete(account: Account, doc: Doc, old: Doc | None) -> None:
    """Name, defaults and address book of a customer. Raises Refused."""
    doc.setdefault("isPerson", False)
    doc.setdefault("isInactive", False)
    doc.setdefault("dateCreated", account.stamp())
    doc.setdefault("currency", _home(account))
    _name(account, doc, old)
    mandatory.check(account, TYPES["customer"], doc)
    _address_book(account, doc, (old or {}).get("addressBook", []))


def _home(account: Account) -> str:
    return str(next(row["id"] for row in account.rows("currency") if row["symbol"] == account.settings.currency))


def _name(account: Account, doc: Doc, old: Doc | None) -> None:
    """With auto-generated numbers a sent entityId counts for nothing unless autoName is false."""
    person = " ".join(str(doc[part]) for part in ("firstName", "lastName") if doc.get(part))
    own = person if doc["isPerson"] else doc.get("companyName", "")
    if not own and not doc.get("entityId"):
        raise missing(*(("First Name", "Last Name") if doc["isPerson"] else ("Company Name",)))
    if account.settings.auto_numbering and doc.get("autoName", True):
        doc["entityId"] = old["entityId"] if old else str(_NUMBERED_FROM + account.next_number("entity number"))
    doc["entityId"] = doc.get("entityId") or own
    held = account.index.holder("entity", "entityId", doc["entityId"])
    if held and held[1] != doc.get("id"):
        raise user_error("name_exists", "entityId", name=doc["entityId"])


def _address_book(account: Account, doc: Doc, before: list[Doc]) -> None:
    lines = doc.get("addressBook", [])
    known = {line["internalId"] for line in before}
    for line in lines:
        if line.get("internalId") not in known:
            line["id"] = line["internalId"] = account.next_number("address")
        address = line.setdefault("addressBookAddress", {})
        address["addrText"] = line["addressBookAddress_text"] = formatted(address)
    for flag in _FLAGS:
        _only_one(lines, flag, before)


def _only_one(lines: list[Doc], flag: str, before: list[Doc]) -> None:
    """At most one default: the line that was made one last."""
    was = {line["internalId"] for line in before if line.get(flag)}
    chosen = [line for line in lines if line.get(flag)]
    keeper = next((line for line in reversed(chosen) if line["internalId"] not in was), chosen[-1] if chosen else None)
    for line in lines:
        line[flag] = line is keeper


def formatted(address: Doc) -> str:
    """An address as one text."""
    city = " ".join(str(address[part]) for part in ("city", "state", "zip") if address.get(part))
    rows = [str(address.get(part, "")) for part in ("attention", "addressee", "addr1", "addr2", "addr3")]
    return "\n".join(row for row in [*rows, city, str(address.get("country", ""))] if row)


def default_address(customer: Doc, flag: str) -> Doc | None:
    """The address book line that carries a flag."""
    return next((line for line in customer.get("addressBook", []) if line.get(flag)), None)


def shown(account: Account, doc: Doc) -> Doc:
    """A customer with the sums that are worked out when it is read."""
    owed = sum((Decimal(row["amountRemaining"]) for row in account.rows("invoice") if row["entity"] == doc["id"]), ZERO)
    address = default_address(doc, "defaultBilling")
    extra = {"defaultAddress": address["addressBookAddress_text"]} if address else {}
    return {**doc, "balance": owed, **extra}
