"""Columns of SuiteQL's tables: type, and the field of the record behind each."""

from __future__ import annotations

from erp_twins.netsuite.suiteql import ColumnType

Columns = dict[str, tuple[ColumnType, str]]


def _columns(
    *, integer: str = "", number: str = "", text: str = "", boolean: str = "", date: str = "", datetime: str = ""
) -> Columns:
    """Columns named as their fields in lower case; `column=field` where the names differ."""
    kinds: dict[ColumnType, str] = {
        "integer": integer, "number": number, "text": text, "boolean": boolean, "date": date, "datetime": datetime,
    }  # fmt: skip
    made: Columns = {}
    for kind, words in kinds.items():
        for word in words.split():
            name, _, field = word.partition("=")
            made[name.lower()] = (kind, field or name)
    return made


def _list(text: str = "name", integer: str = "", number: str = "") -> Columns:
    return _columns(
        integer=f"id {integer}",
        number=number,
        text=f"externalId {text}",
        boolean="isInactive",
        datetime="lastModifiedDate",
    )


LISTS = {
    "subsidiary": "subsidiary",
    "location": "location",
    "department": "department",
    "classification": "classification",
    "account": "account",
    "currency": "currency",
    "term": "term",
    "pricelevel": "priceLevel",
    "accountingperiod": "accountingPeriod",
    "salestaxitem": "taxcode",
}
"""Tables that show a list as it is, and its record type."""

COLUMNS: dict[str, Columns] = {
    "subsidiary": _list(integer="parent currency"),
    "location": _list(),
    "department": _list(),
    "classification": _list(),
    "account": _list("acctNumber accountSearchDisplayName=acctName fullName=acctName acctType"),
    "currency": _list("name symbol", number="exchangeRate"),
    "term": _list(integer="daysUntilNetDue"),
    "pricelevel": _list(number="discountPct"),
    "accountingperiod": _list("periodName startDate endDate"),
    "salestaxitem": _list("itemId name=itemId", number="rate"),
    "customer": _columns(
        integer="id subsidiary terms priceLevel currency defaultBillingAddress=defaultbillingaddress "
        "defaultShippingAddress=defaultshippingaddress category salesRep parent",
        number="creditLimit",
        text="entityId companyName altName=altname firstName lastName email phone externalId comments url accountNumber",
        boolean="isPerson isInactive",
        datetime="dateCreated lastModifiedDate",
    ),
    "customeraddressbook": _columns(
        integer="entity internalId addressBookAddress=internalId",
        text="label",
        boolean="defaultBilling defaultShipping isResidential",
    ),
    "customeraddressbookentityaddress": _columns(
        integer="nKey=internalId",
        text="addressee attention addr1 addr2 addr3 city state zip country addrPhone addrText",
    ),
    "item": _columns(
        integer="id class department location incomeAccount parent",
        text="itemId displayName itemType subtype externalId fullName description upcCode",
        boolean="isInactive",
        datetime="createdDate lastModifiedDate",
    ),
    "pricing": _columns(integer="item currency=currencyPage priceLevel", number="quantity unitPrice=price"),
    "transaction": _columns(
        integer="id entity currency subsidiary terms postingPeriod",
        number="foreignTotal exchangeRate foreignAmountPaid foreignAmountUnpaid foreignPaymentAmountUnused",
        text="type recordType tranId transactionNumber status memo externalId otherRefNum email",
        boolean="posting voided",
        date="tranDate dueDate",
        datetime="createdDate lastModifiedDate",
    ),
    "transactionline": _columns(
        integer="id transaction uniqueKey lineSequenceNumber item subsidiary department class location createdFrom entity",
        number="quantity rate foreignAmount netAmount quantityBilled quantityShipRecv",
        text="itemType memo",
        boolean="mainLine taxLine isCogs isClosed",
        datetime="lineLastModifiedDate",
    ),
    "nexttransactionlinelink": _columns(
        integer="previousDoc previousLine nextDoc nextLine",
        number="foreignAmount",
        text="previousType nextType linkType",
        datetime="lastModifiedDate",
    ),
    "deletedrecord": _columns(
        integer="recordid recordtypeid",
        text="scriptid type name context deletedby",
        boolean="iscustomrecord iscustomlist iscustomtransaction",
        datetime="deleteddate",
    ),
}

FEATURES = {
    "subsidiary": "one_world",
    "location": "locations",
    "department": "departments",
    "classification": "classes",
    "class": "classes",
    "pricing": "multiprice",
}
"""Tables and columns that exist only where a feature is on."""

DISPLAYED = {
    "entity": "customer",
    "customer": "customer",
    "item": "item",
    "subsidiary": "subsidiary",
    "location": "location",
    "department": "department",
    "class": "classification",
    "currency": "currency",
    "terms": "term",
    "pricelevel": "priceLevel",
    "postingperiod": "accountingPeriod",
    "createdfrom": "transaction",
}
"""What BUILTIN.DF names: the record type that a column refers to."""
