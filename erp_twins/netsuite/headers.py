"""What every transaction has: values sourced from its customer, a date in an open period, a number."""

from __future__ import annotations

from decimal import Decimal

from erp_twins.jsonio import Doc
from erp_twins.netsuite import entities
from erp_twins.netsuite.accounts import Account
from erp_twins.netsuite.errors import user_error
from erp_twins.netsuite.schema import RecordType

_ADDRESSES = (
    ("billingAddress", "billAddress", "billAddressList", "defaultBilling"),
    ("shippingAddress", "shipAddress", "shipAddressList", "defaultShipping"),
)


def source(account: Account, kind: RecordType, doc: Doc, old: Doc | None, payer: str) -> None:
    """Subsidiary, currency, terms and addresses come from the customer unless they were sent. Raises Refused."""
    customer = account.get("customer", doc.get(payer, ""))
    if customer is None:
        return
    if (old is None or old[payer] != doc[payer]) and customer.get("isInactive"):
        raise user_error("inactive", payer, field=payer, value=customer["entityId"])
    for name in ("subsidiary", "currency", "terms"):
        if name in kind.fields and customer.get(name) and _on(account, kind, name):
            doc.setdefault(name, customer[name])
    doc.setdefault("exchangeRate", Decimal(1))
    doc.setdefault("createdDate", account.stamp())
    _refuse_strange_subsidiary(account, doc, customer, payer)
    if "billingAddress" in kind.fields:
        _addresses(doc, customer)


def _on(account: Account, kind: RecordType, name: str) -> bool:
    feature = kind.fields[name].feature
    return not feature or account.has(feature)


def _refuse_strange_subsidiary(account: Account, doc: Doc, customer: Doc, payer: str) -> None:
    if not account.has("one_world"):
        return
    if doc["subsidiary"] != customer["subsidiary"]:
        raise user_error("subsidiary", payer, field=payer, value=customer["id"], subsidiary=doc["subsidiary"])
    location = account.get("location", doc.get("location", ""))
    if location and doc["subsidiary"] not in location["subsidiary"]:
        raise user_error("subsidiary", "location", field="location", value=location["id"], subsidiary=doc["subsidiary"])


def _addresses(doc: Doc, customer: Doc) -> None:
    """An address that was sent, the one chosen from the address book, or the customer's default."""
    for subrecord, text, chosen, flag in _ADDRESSES:
        if subrecord not in doc:
            line = entities.default_address(customer, flag)
            book = customer.get("addressBook", [])
            line = next((one for one in book if str(one["internalId"]) == doc.get(chosen)), line)
            if line:
                doc[subrecord] = dict(line["addressBookAddress"])
        if subrecord in doc:
            doc[subrecord]["addrText"] = doc[text] = entities.formatted(doc[subrecord])


def dated(account: Account, kind: RecordType, doc: Doc, old: Doc | None) -> None:
    """A date, today's unless sent; what posts needs an open period, before and after the change."""
    doc.setdefault("tranDate", account.today().isoformat())
    if not kind.posting:
        return
    refuse_closed(account, doc)
    if old:
        refuse_closed(account, old)
    doc["postingPeriod"] = doc["tranDate"][:7].replace("-", "")


def refuse_closed(account: Account, doc: Doc) -> None:
    if doc["tranDate"][:7] in account.settings.locked_periods:
        raise user_error("period", "tranDate")


def numbered(account: Account, kind: RecordType, doc: Doc, old: Doc | None) -> None:
    """The document number: as sent where the account allows that, else the next one."""
    if not account.settings.tran_id_override or not doc.get("tranId"):
        doc["tranId"] = old["tranId"] if old else f"{kind.prefix}{account.next_number(kind.prefix)}"
