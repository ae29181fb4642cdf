"""Create, update, delete, void and send, for every entity (reference 4.2, 4.7)."""

from __future__ import annotations

import copy

from erp_twins.jsonio import Doc
from erp_twins.quickbooks import checks, faults, invoices, lists, names, payments, seed
from erp_twins.quickbooks.company import Change, Company
from erp_twins.quickbooks.entities import FORMS, NAMES, SCHEMAS, SINGLETONS
from erp_twins.quickbooks.faults import QboFault
from erp_twins.quickbooks.money import cents, number, truth
from erp_twins.quickbooks.schema import Schema

_KEPT_IF_BLANK = ("DisplayName", "PrintOnCheckName")


def read(company: Company, schema: Schema, ident: str) -> Doc:
    """The document as it is answered. Fault 610 when there is none."""
    if schema.name in SINGLETONS:
        return seed.singleton(company, schema.name)
    return shown(company, schema.name, company.find(schema.name, ident))


def shown(company: Company, entity: str, doc: Doc) -> Doc:
    return payments.shown(company, doc) if entity == "Payment" else doc


def write(company: Company, schema: Schema, sent: Doc, operation: str, options: frozenset[str]) -> Doc:
    """Any writing operation: "create", "update", "delete" or "void"."""
    refuse_closed_company(company)
    if schema.name in SINGLETONS:
        raise faults.unsupported(operation, schema.name)
    if operation == "delete":
        return delete(company, schema, sent)
    if operation == "void":
        return void(company, schema, sent)
    if schema.name == "ExchangeRate":
        return exchange_rate(company, sent)
    return update(company, schema, sent, options) if sent.get("Id") else create(company, schema, sent, options)


def refuse_closed_company(company: Company) -> None:
    if not company.settings.subscription_active and company.actor.source == "api":
        detail = "The subscription period has ended or canceled or there was a billing problem"
        raise faults.fault(6190, "Invalid Company Status", f"{detail} : {detail}")


def create(company: Company, schema: Schema, sent: Doc, options: frozenset[str] = frozenset()) -> Doc:
    checks.properties(schema, sent)
    doc = _writable(schema, checks.pruned(sent))
    return _save(company, schema, doc, None, options)


def update(company: Company, schema: Schema, sent: Doc, options: frozenset[str] = frozenset()) -> Doc:
    """Full: what is not sent is cleared. Sparse: only what is sent changes; the Line array changes as a unit."""
    checks.properties(schema, sent)
    old = current(company, schema, sent)
    doc = _merged(schema, old, sent) if truth(sent.get("sparse", False)) else _replaced(schema, old, sent)
    return _save(company, schema, doc, old, options)


def current(company: Company, schema: Schema, sent: Doc) -> Doc:
    """The stored document that a request means. Faults 2030, 610, 2020 and 5010."""
    ident = str(sent.get("Id", ""))
    if not ident:
        raise QboFault(faults.missing("Id"))
    if not ident.isdigit() and company.get(schema.name, ident) is None:
        raise faults.fault(2030, "Invalid ID", f"Id should be a valid number. Supplied value:{ident}", "Id")
    old = company.find(schema.name, ident)
    if sent.get("SyncToken", "") == "":
        raise QboFault(faults.missing("SyncToken"))
    if str(sent["SyncToken"]) != old["SyncToken"]:
        raise faults.stale()
    return old


def _writable(schema: Schema, doc: Doc) -> Doc:
    kept = schema.writable | {"CustomField"}
    return {name: copy.deepcopy(value) for name, value in doc.items() if name in kept}


def _replaced(schema: Schema, old: Doc, sent: Doc) -> Doc:
    doc = _writable(schema, checks.pruned(sent))
    if schema.soft_delete:
        doc.setdefault("Active", old.get("Active", True))
    return {**doc, "Id": old["Id"]}


def _merged(schema: Schema, old: Doc, sent: Doc) -> Doc:
    changes = {name: value for name, value in sent.items() if value or name not in _KEPT_IF_BLANK}
    stored = _writable(schema, old)
    if "Line" in sent and "TxnTaxDetail" not in sent:
        stored.pop("TxnTaxDetail", None)  # new lines: the tax engine speaks again
    merged: Doc = checks.pruned({**stored, **_writable(schema, changes)})
    return {**merged, "Id": old["Id"]}


def _save(company: Company, schema: Schema, doc: Doc, old: Doc | None, options: frozenset[str]) -> Doc:
    """Check everything, then commit the document together with what it does to others."""
    name = schema.name
    checks.document(company, schema, doc, old)
    refuse_locked(company, name, doc, old)
    _complete(company, name, doc, old, options)
    doc["Id"] = old["Id"] if old else company.next_id(name)
    doc.update(domain="QBO", sparse=False)
    company.commit([Change(name, doc, _word(old, doc)), *_effects(company, name, doc, old)])
    return shown(company, name, doc)


def _effects(company: Company, name: str, doc: Doc, old: Doc | None) -> list[Change]:
    if name == "Payment":
        return payments.effects(company, doc, old)
    return payments.trimmed(company, doc) if name == "Invoice" and old else []


def _word(old: Doc | None, doc: Doc) -> str:
    if old is None:
        return "Create"
    return "Deactivate" if old.get("Active") and not doc.get("Active") else "Update"


def _complete(company: Company, name: str, doc: Doc, old: Doc | None, options: frozenset[str]) -> None:
    if name in FORMS:
        invoices.check(company, name, doc, old, options)
    elif name == "Payment":
        payments.check(company, doc, old)
    elif name in NAMES:
        names.check(company, name, doc, old)
    else:
        lists.check(company, name, doc, old)


def refuse_locked(company: Company, name: str, *docs: Doc | None) -> None:
    """Closed books (6200, with a password 6210) and deposited payments (6540)."""
    closed = company.settings.book_close_date
    for doc in docs:
        if closed and doc and name in {*FORMS, "Payment"} and str(doc.get("TxnDate", company.today())) <= closed:
            code = 6210 if company.settings.book_close_password else 6200
            raise faults.fault(
                code,
                "Account Period Closed",
                f"Account Period Closed : The account period has closed and the account books cannot be updated through the API. Closing date: {closed}",
                "TxnDate",
            )
    stored = docs[-1]
    if stored and f"{name}:{stored['Id']}" in company.deposited:
        raise faults.fault(
            6540,
            "Deposited Transaction cannot be changed",
            "This transaction has been deposited. If you want to change or delete it, you must edit the deposit it appears on and remove it first.",
        )


def delete(company: Company, schema: Schema, sent: Doc) -> Doc:
    """Hard deletion of a transaction; payments give the money back to what they settled."""
    if not schema.hard_delete:
        raise faults.unsupported("delete", schema.name)
    old = current(company, schema, sent)
    refuse_locked(company, schema.name, old)
    if schema.name == "Payment":
        effects = payments.effects(company, {"Id": old["Id"], "Line": []}, old)
    else:
        invoices.refuse_linked(old)
        effects = []
    company.commit([Change(schema.name, old, "Remove"), *effects])
    return {"status": "Deleted", "domain": "QBO", "Id": old["Id"]}


def void(company: Company, schema: Schema, sent: Doc) -> Doc:
    """The document stays with all amounts at zero; linked documents are released."""
    if not schema.voidable:
        raise faults.unsupported("void", schema.name)
    old = current(company, schema, sent)
    refuse_locked(company, schema.name, old)
    if schema.name == "Payment":
        doc = payments.voided(old)
        effects = payments.effects(company, doc, old)
    else:
        doc = invoices.voided(old)
        effects = payments.released(company, schema.name, old)
    company.commit([Change(schema.name, doc, "Void"), *effects])
    return shown(company, schema.name, doc)


def send(company: Company, schema: Schema, ident: str, address: str) -> Doc:
    """Mark a form as e-mailed."""
    doc = copy.deepcopy(company.find(schema.name, ident))
    if address:
        doc["BillEmail"] = {"Address": address}
    if not doc.get("BillEmail") and schema.name in FORMS:
        raise faults.fault(
            6420, "E-mail needed for delivery type", "An e-mail address is needed to send this form", "BillEmail"
        )
    doc["EmailStatus"] = "EmailSent"
    doc["DeliveryInfo"] = {"DeliveryType": "Email", "DeliveryTime": company.now().isoformat(timespec="seconds")}
    company.commit([Change(schema.name, doc, "Emailed")])
    return shown(company, schema.name, doc)


def exchange_rate(company: Company, sent: Doc) -> Doc:
    """Set the home-currency price of one unit of a currency."""
    code = str(sent.get("SourceCurrencyCode", ""))
    if not code or "Rate" not in sent:
        raise QboFault(faults.missing("SourceCurrencyCode" if not code else "Rate"))
    doc: Doc = {
        "Id": code,
        "SourceCurrencyCode": code,
        "TargetCurrencyCode": company.settings.currency,
        "Rate": number(sent["Rate"], "Rate"),
        "AsOfDate": sent.get("AsOfDate") or company.today(),
        "domain": "QBO",
        "sparse": False,
    }
    company.commit([Change("ExchangeRate", doc, "Update")])
    return doc


def pay_as_person(company: Company, invoice: Doc, amount: object, method: str) -> Doc:
    """A person receives a payment for an invoice in the product."""
    value = invoice["Balance"] if amount is None else cents(number(amount, "amount"))
    link = {"Amount": value, "LinkedTxn": [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]}
    sent: Doc = {"CustomerRef": dict(invoice["CustomerRef"]), "TotalAmt": value, "Line": [link]}
    found = next((row for row in company.rows("PaymentMethod") if row["Name"].lower() == method.lower()), None)
    if found:
        sent["PaymentMethodRef"] = {"value": found["Id"]}
    if company.settings.multicurrency:
        sent["ExchangeRate"] = invoice["ExchangeRate"]
    return create(company, SCHEMAS["Payment"], sent)
