"""Payments and what they do to the documents they settle (reference 4.8)."""

from __future__ import annotations

import copy
from collections import defaultdict
from decimal import Decimal

from erp_twins.jsonio import Doc
from erp_twins.quickbooks import checks, faults
from erp_twins.quickbooks.company import Change, Company
from erp_twins.quickbooks.faults import QboFault
from erp_twins.quickbooks.invoices import currency
from erp_twins.quickbooks.money import ZERO, cents, number, ref

Links = dict[tuple[str, str], Decimal]
_OPEN = {"Invoice": "Balance", "CreditMemo": "RemainingCredit"}


def check(company: Company, doc: Doc, old: Doc | None) -> None:
    """Complete a payment, or refuse it."""
    doc.setdefault("TxnDate", company.today())
    doc["TotalAmt"] = cents(number(doc["TotalAmt"], "TotalAmt"))
    if doc["TotalAmt"] < 0:
        raise faults.fault(2290, "Negative amount", "A payment's amount cannot be negative", "TotalAmt")
    currency(company, doc)
    doc["Line"] = [_line(line) for line in checks.lines_of(doc)]
    _refuse_unlinkable(company, doc, old)
    doc["UnappliedAmt"] = doc["TotalAmt"] - _net(links(doc))
    if doc["UnappliedAmt"] < 0:
        raise faults.business("The amount applied is greater than the payment. You need to set a transaction amount.")
    if company.settings.multicurrency:
        doc["HomeTotalAmt"] = cents(doc["TotalAmt"] * doc["ExchangeRate"])
    doc.setdefault("DepositToAccountRef", {"value": company.account("Undeposited Funds")})
    doc["ProcessPayment"] = False


def _line(line: Doc) -> Doc:
    found = [link for link in line.get("LinkedTxn", []) if isinstance(link, dict) and link.get("TxnId")]
    if len(found) != 1:
        raise faults.business("A payment line needs exactly one linked transaction.")
    if "Amount" not in line:
        raise QboFault(faults.missing("Line.Amount"))
    amount = cents(number(line["Amount"], "Line.Amount"))
    link = {"TxnId": str(found[0]["TxnId"]), "TxnType": str(found[0].get("TxnType", ""))}
    return {"Amount": amount, "LinkedTxn": [link]}


def links(doc: Doc | None) -> Links:
    """Amount per settled document."""
    found: defaultdict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for line in (doc or {}).get("Line", []):
        link = line["LinkedTxn"][0]
        found[link["TxnType"], link["TxnId"]] += line["Amount"]
    return dict(found)


def _net(found: Links) -> Decimal:
    return sum((-amount if kind == "CreditMemo" else amount for (kind, _), amount in found.items()), ZERO)


def _refuse_unlinkable(company: Company, doc: Doc, old: Doc | None) -> None:
    before = links(old)
    for (kind, ident), amount in links(doc).items():
        if kind not in _OPEN:
            raise QboFault(faults.bad_value(2170, "Invalid Enumeration", "LinkedTxn.TxnType"))
        target = company.get(kind, ident)
        if target is None:
            raise QboFault(faults.inactive_reference("Line.LinkedTxn.TxnId", f"{kind} {ident}"))
        if ref(target, "CustomerRef") != ref(doc, "CustomerRef"):
            raise faults.fault(
                620, "Transaction can not be linked", f"{kind} {ident} belongs to another customer", "LinkedTxn"
            )
        if amount > target[_OPEN[kind]] + before.get((kind, ident), ZERO):
            raise faults.business(f"The amount {amount} is greater than the open balance of {kind} {ident}.")


def effects(company: Company, doc: Doc, old: Doc | None) -> list[Change]:
    """The settled documents as they become: balance and links, which also move their SyncToken."""
    now, before = links(doc), links(old)
    return [
        _settled(company, key, doc["Id"], now.get(key, ZERO), before.get(key, ZERO))
        for key in sorted(now.keys() | before.keys())
        if now.get(key) != before.get(key) and company.get(*key)
    ]


def _settled(company: Company, key: tuple[str, str], payment: str, now: Decimal, before: Decimal) -> Change:
    target = copy.deepcopy(company.find(*key))
    field = _OPEN[key[0]]
    target[field] = cents(target[field] - now + before)
    if key[0] == "CreditMemo":
        target["Balance"] = target[field]
    if "HomeBalance" in target:
        target["HomeBalance"] = cents(target["Balance"] * target["ExchangeRate"])
    others = [link for link in target["LinkedTxn"] if (link["TxnType"], link["TxnId"]) != ("Payment", payment)]
    target["LinkedTxn"] = [*others, {"TxnId": payment, "TxnType": "Payment"}] if now else others
    return Change(key[0], target, "Update")


def voided(doc: Doc) -> Doc:
    note = f"Voided - {doc['PrivateNote']}" if doc.get("PrivateNote") else "Voided"
    home = {"HomeTotalAmt": ZERO} if "HomeTotalAmt" in doc else {}
    return {**copy.deepcopy(doc), **home, "TotalAmt": ZERO, "UnappliedAmt": ZERO, "Line": [], "PrivateNote": note}


def released(company: Company, entity: str, form: Doc) -> list[Change]:
    """Payments that settled a form which is being voided, as they become: the money is unapplied again."""
    key = (entity, form["Id"])
    return [_held_to(payment, key, ZERO) for payment in _payers(company, form)]


def trimmed(company: Company, invoice: Doc) -> list[Change]:
    """Payments of an invoice that has become smaller than what they applied: the excess is unapplied again."""
    key, room, changes = ("Invoice", invoice["Id"]), invoice["TotalAmt"] - invoice["Deposit"], []
    for payment in _payers(company, invoice):
        amount = links(payment).get(key, ZERO)
        kept = min(amount, max(room, ZERO))
        room -= kept
        if kept < amount:
            changes.append(_held_to(payment, key, kept))
    return changes


def _payers(company: Company, form: Doc) -> list[Doc]:
    found = (company.get("Payment", link["TxnId"]) for link in form["LinkedTxn"] if link["TxnType"] == "Payment")
    return [payment for payment in found if payment]


def _held_to(payment: Doc, key: tuple[str, str], amount: Decimal) -> Change:
    """The payment with no more than this applied to one form."""
    doc = copy.deepcopy(payment)
    others = [line for line in doc["Line"] if (line["LinkedTxn"][0]["TxnType"], line["LinkedTxn"][0]["TxnId"]) != key]
    kept = [{"Amount": amount, "LinkedTxn": [{"TxnId": key[1], "TxnType": key[0]}]}] if amount else []
    doc["Line"] = others + kept
    doc["UnappliedAmt"] = doc["TotalAmt"] - max(_net(links(doc)), ZERO)
    return Change("Payment", doc, "Update")


def shown(company: Company, doc: Doc) -> Doc:
    """A payment as it is answered: its lines carry the names and open balances of what they settle."""
    return {**doc, "Line": [_shown_line(company, line) for line in doc["Line"]]}


def _shown_line(company: Company, line: Doc) -> Doc:
    link = line["LinkedTxn"][0]
    target = company.get(link["TxnType"], link["TxnId"]) or {}
    values = {"txnId": link["TxnId"], "txnOpenBalance": target.get(_OPEN[link["TxnType"]], ZERO) + line["Amount"]}
    if target.get("DocNumber"):
        values["txnReferenceNumber"] = target["DocNumber"]
    return {**line, "LineEx": {"any": [_name_value(name, str(value)) for name, value in values.items()]}}


def _name_value(name: str, value: str) -> Doc:
    kind = {"declaredType": "com.intuit.schema.finance.v3.NameValue", "scope": "javax.xml.bind.JAXBElement$GlobalScope"}
    return {
        "name": "{http://schema.intuit.com/finance/v3}NameValue",
        "nil": False,
        "value": {"Name": name, "Value": value},
        **kind,
        "globalScope": True,
        "typeSubstituted": False,
    }
