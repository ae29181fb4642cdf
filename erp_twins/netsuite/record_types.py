"""The record types of the twin (reference section 4), names as the 2026.1 Browser has them."""

from __future__ import annotations

from erp_twins.netsuite.record_fields import APPLY, COMMON, DIMENSIONS, LINES, PRICE, SALE
from erp_twins.netsuite.schema import Field, RecordType, Sublist, fields

_CUSTOMER = RecordType(
    "customer",
    "entity",
    "Customer",
    {
        **COMMON,
        **fields(
            "entityId companyName firstName middleName lastName salutation title email altEmail phone altPhone mobilePhone "
            "homePhone fax url comments accountNumber vatRegNumber resaleNumber defaultAddress!",
            boolean="autoName isPerson isInactive taxable taxExempt",
            number="creditLimit balance! overdueBalance! depositBalance! unbilledOrders!",
            datetime="dateCreated!",
            ref={
                "subsidiary@one_world": "subsidiary",
                "currency@multicurrency": "currency",
                "terms": "term",
                "priceLevel": "priceLevel",
                "parent": "customer",
                "taxItem@legacy_tax": "taxcode",
                "receivablesAccount": "account",
                "entityStatus": "customerStatus",
            },
            enum={"emailPreference": "emailPreference", "language": "language"},
            sublists="addressBook",
        ),
    },
    {
        "addressBook": Sublist(
            "addressBook",
            fields(
                "addressId label addressBookAddress_text!",
                integer="id internalId",
                boolean="defaultBilling defaultShipping isResidential",
                subrecord="addressBookAddress",
            ),
            ("internalId", "id"),
        )
    },
    code="CustJob",
    number=-2,
    permission="Lists -> Customers",
)


def _item(name: str, title: str, code: str, subtype: str = "Sale", *, stocked: bool = False) -> RecordType:
    stock = fields(number="cost averageCost!", ref={"cogsAccount": "account", "assetAccount": "account"}, enum={"costingMethod": "costingMethod"})  # fmt: skip
    own = fields(
        "itemId displayName upcCode description salesDescription storeDescription fullName! vendorName",
        boolean="isInactive isTaxable includeChildren",
        datetime="createdDate!",
        ref={
            "incomeAccount": "account",
            "taxSchedule": "taxSchedule",
            "salesTaxCode@legacy_tax": "taxcode",
            "class@classes": "classification",
            "department@departments": "department",
            "location@locations": "location",
            "parent": name,
        },
        refs={"subsidiary@one_world": "subsidiary"},
        enum={"itemType!": "itemType", "subtype!": "subtype"},
        sublists="price@multiprice",
    ) | {"rate": Field("rate", "rate")}
    return RecordType(
        name, "item", title, {**COMMON, **own, **(stock if stocked else {})}, {"price": PRICE}, code=f"{code}/{subtype}",
        number=-10, permission="Lists -> Items",
    )  # fmt: skip


_SALES_ORDER = RecordType(
    "salesOrder",
    "transaction",
    "Sales Order",
    {**COMMON, **SALE, **fields(enum={"orderStatus": "orderStatus"}), "status": Field("status", "enum", "salesOrder", readonly=True)},
    LINES,
    code="SalesOrd",
    number=31,
    permission="Transactions -> Sales Order",
    prefix="SO",
    transforms=frozenset({"invoice"}),
)  # fmt: skip
_INVOICE = RecordType(
    "invoice",
    "transaction",
    "Invoice",
    {
        **COMMON,
        **SALE,
        **fields(
            number="amountRemaining! amountPaid!", ref={"account": "account", "postingPeriod!": "accountingPeriod"}
        ),
        "status": Field("status", "enum", "invoice", readonly=True),
    },
    LINES,
    code="CustInvc",
    number=7,
    permission="Transactions -> Invoice",
    prefix="INV",
    transforms=frozenset({"customerPayment", "creditMemo"}),
    posting=True,
)
_CREDIT_MEMO = RecordType(
    "creditMemo",
    "transaction",
    "Credit Memo",
    {
        **COMMON,
        **SALE,
        **fields(
            number="amountRemaining! applied! unapplied!",
            boolean="autoApply",
            ref={"account": "account", "postingPeriod!": "accountingPeriod"},
            sublists="apply",
        ),
        "status": Field("status", "enum", "creditMemo", readonly=True),
    },
    {**LINES, "apply": APPLY},
    code="CustCred",
    number=10,
    permission="Transactions -> Credit Memo",
    prefix="CM",
    posting=True,
)


def _money_in(name: str, title: str, code: str, number: int, prefix: str, *, applies: bool) -> RecordType:
    """A payment or a deposit: money of a customer."""
    own = fields(
        "tranId memo checkNumber",
        number="payment exchangeRate applied! unapplied!",
        boolean="undepFunds autoApply",
        date="tranDate",
        datetime="createdDate!",
        ref={
            **DIMENSIONS,
            "customer": "customer",
            "currency@multicurrency": "currency",
            "account": "account",
            "arAcct": "account",
            "paymentOption": "paymentMethod",
            "paymentMethod": "paymentMethod",
            "salesOrder": "salesOrder",
            "postingPeriod!": "accountingPeriod",
            "createdFrom!": "transaction",
        },
        sublists="apply" if applies else "",
    )
    return RecordType(
        name,
        "transaction",
        title,
        {**COMMON, **own, "status": Field("status", "enum", name, readonly=True)},
        {"apply": APPLY} if applies else {},
        code=code,
        number=number,
        permission=f"Transactions -> {title}",
        prefix=prefix,
        posting=True,
    )


def _list(name: str, title: str, extra: dict[str, Field] | None = None, label: str = "name") -> RecordType:
    """A list that is set up in the product and read by integrations."""
    own = {**fields("id! externalId", boolean="isInactive", datetime="lastModifiedDate!"), label: Field(label)}
    return RecordType(name, "list", title, {**own, **(extra or {})}, permission=f"Lists -> {title}", writable=False)


_ALL = (
    _CUSTOMER,
    _item("inventoryItem", "Inventory Item", "InvtPart", "", stocked=True),
    _item("nonInventorySaleItem", "Non-Inventory Item for Sale", "NonInvtPart"),
    _item("serviceSaleItem", "Service for Sale", "Service"),
    _item("otherChargeSaleItem", "Other Charge for Sale", "OthCharge"),
    _item("discountItem", "Discount", "Discount", ""),
    _SALES_ORDER,
    _INVOICE,
    _CREDIT_MEMO,
    _money_in("customerPayment", "Customer Payment", "CustPymt", 9, "PYMT", applies=True),
    _money_in("customerDeposit", "Customer Deposit", "CustDep", 40, "CD", applies=False),
    _list("account", "Accounts", fields("acctNumber acctType fullName"), "acctName"),
    _list("location", "Locations", fields(refs={"subsidiary": "subsidiary"})),
    _list("department", "Departments"),
    _list("classification", "Classes"),
    _list("subsidiary", "Subsidiaries", fields(ref={"currency": "currency", "parent": "subsidiary"})),
    _list("currency", "Currency", fields("symbol", number="exchangeRate")),
    _list("term", "Terms", fields(integer="daysUntilNetDue")),
    _list("priceLevel", "Price Levels", fields(number="discountPct")),
    _list("taxcode", "Tax Codes", fields(number="rate"), "itemId"),
    _list("taxType", "Tax Types"),
    _list("taxSchedule", "Tax Schedules"),
    _list("shipItem", "Ship Items", label="itemId"),
    _list("paymentMethod", "Payment Methods"),
    _list("customForm", "Custom Forms", fields("recordType")),
    _list("customerStatus", "Customer Statuses"),
    _list("accountingPeriod", "Accounting Periods", fields("startDate endDate", boolean="closed"), "periodName"),
)

TYPES: dict[str, RecordType] = {one.name: one for one in _ALL}
BY_SEGMENT: dict[str, RecordType] = {one.segment: one for one in _ALL}
TRANSACTIONS = tuple(one for one in _ALL if one.group == "transaction")
ITEMS = tuple(one for one in _ALL if one.group == "item")
SALES = ("salesOrder", "invoice", "creditMemo")
APPLYING = ("customerPayment", "creditMemo")

FAMILIES = {"item": tuple(one.name for one in ITEMS), "transaction": tuple(one.name for one in TRANSACTIONS)}
"""Names of references that may point to any type of a group; all of one group share their internal ids."""


def space(kind: RecordType) -> str:
    """Records whose internal and external ids are unique together: entities, items, transactions, else the type itself."""
    return kind.name if kind.group == "list" else kind.group
