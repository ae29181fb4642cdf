"""Customers, vendors and employees: one namespace, derived names, deactivation (reference 4.3)."""

from __future__ import annotations

from erp_twins.jsonio import Doc
from erp_twins.quickbooks import faults
from erp_twins.quickbooks.company import Company
from erp_twins.quickbooks.money import ZERO, ref, truth

_PARTS = ("Title", "GivenName", "MiddleName", "FamilyName", "Suffix")
_DEEPEST = 4
_SUFFIX = " (deleted)"


def check(company: Company, entity: str, doc: Doc, old: Doc | None) -> None:
    """Fill in what the service derives, then refuse what it refuses."""
    _name(doc)
    doc["Active"] = truth(doc.get("Active", True))
    if entity == "Customer":
        _customer(company, doc, old)
    if doc["Active"] and old and not old["Active"]:
        _restore(company, doc, old)
    if not doc["Active"] and (old is None or old.get("Active", True)):
        _deactivate(company, doc, old)
    else:
        refuse_taken(company, entity, doc)
    doc["FullyQualifiedName"] = _qualified(company, doc) if entity == "Customer" else doc["DisplayName"]
    if entity != "Customer":
        doc.pop("FullyQualifiedName")
    doc.setdefault("PrintOnCheckName", doc.get("CompanyName") or doc["DisplayName"])


def _name(doc: Doc) -> None:
    parts = [str(doc[part]) for part in _PARTS if doc.get(part)]
    if not doc.get("DisplayName"):
        if not parts:
            detail = (
                "Either DisplayName or at least one of Title, GivenName, MiddleName, FamilyName, or Suffix is required"
            )
            raise faults.fault(6080, "Name part missing", detail, "DisplayName")
        doc["DisplayName"] = " ".join(parts)
    doc["DisplayName"] = str(doc["DisplayName"]).strip()


def refuse_taken(company: Company, entity: str, doc: Doc) -> None:
    held = company.holder("names", doc["DisplayName"])
    if held and held != (entity, doc.get("Id")):
        raise faults.duplicate_name(held[1])


def _customer(company: Company, doc: Doc, old: Doc | None) -> None:
    doc["Balance"] = old["Balance"] if old else ZERO
    doc["BalanceWithJobs"] = doc["Balance"]
    doc["Taxable"] = truth(doc.get("Taxable", True))
    doc["Job"] = bool(ref(doc, "ParentRef"))
    doc["BillWithParent"] = truth(doc.get("BillWithParent", False))
    doc.setdefault("PreferredDeliveryMethod", "None")
    _currency(company, doc, old)
    doc["Level"] = _level(company, doc)
    if not doc["Job"]:
        doc.pop("Level")


def _currency(company: Company, doc: Doc, old: Doc | None) -> None:
    """Settable at creation only."""
    wanted = ref(doc, "CurrencyRef") or company.settings.currency
    if wanted != company.settings.currency and not company.settings.multicurrency:
        raise faults.fault(
            5030, "Feature Not Supported Error", "Multi-currency is not enabled for this company.", "CurrencyRef"
        )
    doc["CurrencyRef"] = old["CurrencyRef"] if old else {"value": wanted}


def _level(company: Company, doc: Doc) -> int:
    level, parent = 0, ref(doc, "ParentRef")
    while parent:
        level += 1
        if level > _DEEPEST:
            raise faults.fault(6180, "Too many levels", "A customer can have at most 5 levels", "ParentRef")
        if parent == doc.get("Id"):
            raise faults.fault(900, "Parent is the object itself", "An object cannot be its own parent", "ParentRef")
        parent = ref(company.find("Customer", parent), "ParentRef")
    return level


def _qualified(company: Company, doc: Doc) -> str:
    parent = company.get("Customer", ref(doc, "ParentRef"))
    return f"{parent['FullyQualifiedName']}:{doc['DisplayName']}" if parent else str(doc["DisplayName"])


def _restore(company: Company, doc: Doc, old: Doc) -> None:
    """A reactivated name loses its suffix, unless somebody else has the name by now."""
    bare = old["DisplayName"].partition(_SUFFIX)[0]
    if doc["DisplayName"] == old["DisplayName"] and not company.holder("names", bare):
        doc["DisplayName"] = bare


def _deactivate(company: Company, doc: Doc, old: Doc | None) -> None:
    """The name moves aside, so that it is free again."""
    if company.actor.source == "api" and (old or {}).get("Balance", ZERO) != 0:
        raise faults.fault(
            6220, "Entity has a balance", "A customer with an open balance cannot be made inactive", "Active"
        )
    base, tries = doc["DisplayName"] + _SUFFIX, 1
    doc["DisplayName"] = base
    while company.holder("names", doc["DisplayName"]):
        tries += 1
        doc["DisplayName"] = f"{base} {tries}"
