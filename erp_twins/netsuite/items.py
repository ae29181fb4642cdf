"""Items: names, prices by level, currency and quantity (reference 4.2)."""

from __future__ import annotations

from decimal import Decimal

from erp_twins.jsonio import Doc
from erp_twins.netsuite import mandatory
from erp_twins.netsuite.accounts import Account
from erp_twins.netsuite.errors import user_error
from erp_twins.netsuite.schema import RecordType

BASE_PRICE = "1"
CUSTOM_PRICE = "-1"


def complete(account: Account, kind: RecordType, doc: Doc) -> None:
    """Type, defaults and name of an item. Raises Refused."""
    mandatory.check(account, kind, doc)
    code, _, subtype = kind.code.partition("/")
    doc["itemType"], doc["fullName"] = code, doc["itemId"]
    if subtype:
        doc["subtype"] = subtype
    doc.setdefault("isInactive", False)
    doc.setdefault("isTaxable", True)
    doc.setdefault("createdDate", account.stamp())
    held = account.index.holder("item", "itemId", doc["itemId"])
    if held and held[1] != doc.get("id"):
        raise user_error("name_exists", "itemId", name=doc["itemId"])
    for line in doc.get("price", []):
        line.setdefault("currencyPage", "1")
        line.setdefault("priceLevel", BASE_PRICE)
        line.setdefault("quantity", Decimal(0))


def price(item: Doc, level: str, currency: str, quantity: Decimal) -> Decimal | None:
    """The item's price at a level for so many; None where it has none."""
    fitting = [
        line
        for line in item.get("price", [])
        if line["priceLevel"] == level and line["currencyPage"] == currency and line["quantity"] <= quantity
    ]
    if fitting:
        return Decimal(max(fitting, key=lambda line: line["quantity"])["price"])
    rate = item.get("rate")
    return Decimal(rate) if level == BASE_PRICE and rate is not None and not isinstance(rate, str) else None


def sold_in(account: Account, item: Doc, subsidiary: str) -> bool:
    """Whether an item can be used in a subsidiary: one of its own, or below one with `includeChildren`."""
    own = item.get("subsidiary", [])
    parents = [subsidiary]
    while parents[-1]:
        parents.append(str((account.get("subsidiary", parents[-1]) or {}).get("parent", "")))
    return subsidiary in own or bool(item.get("includeChildren") and set(parents) & set(own))
