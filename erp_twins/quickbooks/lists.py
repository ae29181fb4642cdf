"""Items, accounts, terms, payment methods, classes and departments (reference 4.4, 4.11)."""

from __future__ import annotations

from erp_twins.jsonio import Doc
from erp_twins.quickbooks import faults
from erp_twins.quickbooks.company import Company
from erp_twins.quickbooks.faults import QboFault
from erp_twins.quickbooks.money import number, ref, truth

_INVENTORY = ("ExpenseAccountRef", "AssetAccountRef", "InvStartDate", "QtyOnHand", "TrackQtyOnHand")
_BIGGEST = 99_999_999_999
_CLASSES = {
    "Bank": "Asset",
    "Accounts Receivable": "Asset",
    "Other Current Asset": "Asset",
    "Fixed Asset": "Asset",
    "Income": "Revenue",
    "Other Income": "Revenue",
}
_MORE_CLASSES = {"Cost of Goods Sold": "Expense", "Expense": "Expense", "Other Expense": "Expense", "Equity": "Equity"}


def check(company: Company, entity: str, doc: Doc, old: Doc | None) -> None:
    doc["Active"] = truth(doc.get("Active", True))
    if entity == "Item":
        _item(company, doc, old)
    elif entity == "Account":
        _account(company, doc)
    gone = not doc["Active"] and (old is None or old.get("Active", True))
    if gone and entity in {"Item", "Account", "PaymentMethod", "Term", "Class", "Department"}:
        _set_aside(company, entity, doc)
    elif entity == "Item":
        _refuse_taken(company, doc)
    else:
        _refuse_same_name(company, entity, doc)


def _set_aside(company: Company, entity: str, doc: Doc) -> None:
    base, tries = str(doc["Name"]), 1
    doc["Name"] = f"{base} (deleted)"
    while entity == "Item" and company.holder("items", doc["Name"]):
        tries += 1
        doc["Name"] = f"{base} (deleted) {tries}"
    if "FullyQualifiedName" in doc:
        doc["FullyQualifiedName"] = _qualified(company, entity, doc)


def _item(company: Company, doc: Doc, old: Doc | None) -> None:
    doc["Name"] = str(doc["Name"]).strip()
    if ":" in doc["Name"]:
        raise QboFault(faults.bad_characters("Name"))
    doc["Type"] = doc.get("Type") or (old or {}).get("Type") or "NonInventory"
    doc["FullyQualifiedName"] = _qualified(company, "Item", doc)
    _prices(doc)
    _accounts(doc)
    doc["Taxable"] = truth(doc.get("Taxable", False))
    doc["SubItem"] = bool(ref(doc, "ParentRef"))


def _prices(doc: Doc) -> None:
    for name in ("UnitPrice", "PurchaseCost", "QtyOnHand"):
        if name in doc and abs(number(doc[name], name)) > _BIGGEST:
            raise QboFault(faults.bad_value(2140, "Invalid Amount", name))
    doc["UnitPrice"] = number(doc.get("UnitPrice", 0), "UnitPrice")
    doc["TrackQtyOnHand"] = truth(doc.get("TrackQtyOnHand", False))


def _accounts(doc: Doc) -> None:
    kind = doc["Type"]
    if kind in {"Service", "NonInventory", "Inventory"} and not ref(doc, "IncomeAccountRef"):
        raise QboFault(faults.missing("IncomeAccountRef"))
    if kind == "Inventory":
        absent = [name for name in _INVENTORY if not doc.get(name) and doc.get(name) != 0]
        if absent or not doc["TrackQtyOnHand"]:
            raise QboFault(*[faults.missing(name) for name in absent or ["TrackQtyOnHand"]])
    elif any(doc.get(name) for name in ("AssetAccountRef", "InvStartDate", "TrackQtyOnHand")):
        names = [name for name in ("AssetAccountRef", "InvStartDate", "TrackQtyOnHand") if doc.get(name)]
        raise QboFault(*[faults.unknown_property(name) for name in names])


def _refuse_taken(company: Company, doc: Doc) -> None:
    held = company.holder("items", doc["FullyQualifiedName"])
    if held and held[1] != doc.get("Id"):
        raise faults.duplicate_item(held[1])


def _refuse_same_name(company: Company, entity: str, doc: Doc) -> None:
    """The short lists: accounts, terms, payment methods, tax codes."""
    name = str(doc.get("FullyQualifiedName", doc["Name"])).casefold()
    for row in company.rows(entity):
        if str(row.get("FullyQualifiedName", row["Name"])).casefold() == name and row["Id"] != doc.get("Id"):
            raise faults.fault(6240, "Duplicate Name Exists Error", f"The name supplied already exists. Id={row['Id']}")


def _qualified(company: Company, entity: str, doc: Doc) -> str:
    parent = company.get(entity, ref(doc, "ParentRef"))
    return f"{parent['FullyQualifiedName']}:{doc['Name']}" if parent else str(doc["Name"])


def _account(company: Company, doc: Doc) -> None:
    if any(char in str(doc["Name"]) for char in '":'):
        raise QboFault(faults.bad_characters("Name"))
    if not doc.get("AccountType") and not doc.get("AccountSubType"):
        raise faults.fault(
            6010, "Account type or subtype needed", "AccountType or AccountSubType is required", "AccountType"
        )
    doc.setdefault("AccountType", "Income" if "Income" in str(doc.get("AccountSubType")) else "Expense")
    doc["Classification"] = {**_CLASSES, **_MORE_CLASSES}.get(str(doc["AccountType"]), "Liability")
    doc["FullyQualifiedName"] = _qualified(company, "Account", doc)
    doc["SubAccount"] = bool(ref(doc, "ParentRef"))
    doc.setdefault("CurrencyRef", {"value": company.settings.currency})
