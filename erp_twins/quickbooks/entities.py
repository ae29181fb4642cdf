"""What each entity consists of: known properties, required ones, lengths, references, what can be asked and done.

Sources of the limits: reference sections 4.3 to 4.11; of the filterable properties: section 5; of the webhook
operations: section 10.4.
"""

from __future__ import annotations

from collections.abc import Mapping

from erp_twins.quickbooks.schema import Schema, words

_NAME_EVENTS = words("Create Update Delete Merge")
_FORM_EVENTS = words("Create Update Delete Void Emailed")
_PERSON = words(
    "Title GivenName MiddleName FamilyName Suffix DisplayName PrintOnCheckName Active PrimaryPhone AlternatePhone Mobile Fax PrimaryEmailAddr WebAddr OtherContactInfo OtherAddr"
)
_PERSON_LENGTHS = {
    "Title": 16,
    "GivenName": 100,
    "MiddleName": 100,
    "FamilyName": 100,
    "Suffix": 16,
    "DisplayName": 500,
    "CompanyName": 100,
    "PrintOnCheckName": 110,
    "Notes": 2000,
    "ResaleNum": 16,
    "AcctNum": 100,
    **{f"{phone}.FreeFormNumber": 30 for phone in ("PrimaryPhone", "AlternatePhone", "Mobile", "Fax")},
    "PrimaryEmailAddr.Address": 100,
    "WebAddr.URI": 1000,
}


def _address_lengths(*names: str) -> dict[str, int]:
    parts = {
        **{f"Line{number}": 500 for number in range(1, 6)},
        "City": 255,
        "Country": 255,
        "CountrySubDivisionCode": 255,
        "PostalCode": 30,
    }
    return {f"{name}.{part}": length for name in names for part, length in parts.items()}


_FORM = words(
    "DocNumber TxnDate PrivateNote Line TxnTaxDetail CustomerRef CustomerMemo BillAddr ShipAddr ClassRef DepartmentRef CurrencyRef ExchangeRate "
    "GlobalTaxCalculation ApplyTaxAfterDiscount PrintStatus EmailStatus BillEmail BillEmailCc BillEmailBcc SalesTermRef ShipMethodRef ShipDate "
    "TrackingNum ShipFromAddr ProjectRef LinkedTxn TxnSource FreeFormAddress TransactionLocationType DepositToAccountRef PaymentMethodRef "
    "PaymentRefNum PaymentType CheckPayment CreditCardPayment TaxExemptionRef RecurDataRef"
)
_FORM_READONLY = words(
    "TotalAmt Balance HomeBalance HomeTotalAmt DeliveryInfo TxnStatus EInvoiceStatus ECloudStatusTimeStamp RemainingCredit InvoiceLink TaxInclusiveAmt"
)
_FORM_LENGTHS = {
    "DocNumber": 21,
    "PrivateNote": 4000,
    "CustomerMemo.value": 1000,
    "BillEmail.Address": 100,
    "ShipMethodRef.value": 30,
    **_address_lengths("BillAddr", "ShipAddr"),
}
_FORM_REFERENCES = {
    "CustomerRef": "Customer",
    "SalesTermRef": "Term",
    "ClassRef": "Class",
    "DepartmentRef": "Department",
    "DepositToAccountRef": "Account",
    "PaymentMethodRef": "PaymentMethod",
    "TxnTaxDetail.TxnTaxCodeRef": "TaxCode",
}
_FORM_ENUMS = {
    "EmailStatus": words("NotSet NeedToSend EmailSent"),
    "PrintStatus": words("NotSet NeedToPrint PrintComplete NEED_TO_PRINT"),
    "GlobalTaxCalculation": words("TaxExcluded TaxInclusive NotApplicable"),
}


def _form(
    name: str, required: tuple[str, ...], filters: str, extra: str = "", lengths: Mapping[str, int] | None = None
) -> Schema:
    """A sales form: Invoice and its relatives."""
    return Schema(
        name,
        _FORM | words(extra),
        _FORM_READONLY,
        required,
        {**_FORM_LENGTHS, **(lengths or {})},
        _FORM_REFERENCES,
        _FORM_ENUMS,
        words("CustomerRef DocNumber TxnDate Balance " + filters),
        hard_delete=True,
        voidable=True,
        events=_FORM_EVENTS,
        counter="Txn",
    )


def _person(
    name: str, extra: str, readonly: str, filters: str = "", references: Mapping[str, str] | None = None
) -> Schema:
    return Schema(
        name,
        _PERSON | words(extra),
        words(readonly),
        (),
        {**_PERSON_LENGTHS, **_address_lengths("BillAddr", "ShipAddr", "PrimaryAddr")},
        references or {},
        {"PreferredDeliveryMethod": words("Print Email None")} if name == "Customer" else {},
        words("DisplayName GivenName FamilyName CompanyName PrimaryEmailAddr PrintOnCheckName " + filters),
        soft_delete=True,
        events=_NAME_EVENTS,
    )


def _list(
    name: str,
    writable: str,
    readonly: str = "",
    filters: str = "Name",
    *,
    lengths: Mapping[str, int] | None = None,
    references: Mapping[str, str] | None = None,
    enums: Mapping[str, frozenset[str]] | None = None,
    events: frozenset[str] = frozenset(),
    changes_reported: bool = True,
) -> Schema:
    """A name list: its rows are made inactive, never removed."""
    return Schema(
        name,
        words(writable),
        words(readonly),
        ("Name",),
        lengths or {},
        references or {},
        enums or {},
        words(filters),
        soft_delete=True,
        events=events,
        changes_reported=changes_reported,
    )


_ALL = (
    _person(
        "Customer",
        "CompanyName BillAddr ShipAddr Notes Taxable DefaultTaxCodeRef TaxExemptionReasonId PrimaryTaxIdentifier SalesTermRef PaymentMethodRef "
        "PreferredDeliveryMethod CurrencyRef Job ParentRef BillWithParent OpenBalanceDate ResaleNum IsProject ARAccountRef ContactName AltContactName "
        "CustomerTypeRef BusinessNumber GSTIN GSTRegistrationType SecondaryTaxIdentifier",
        "Balance BalanceWithJobs FullyQualifiedName Level ClientEntityId V4IDPseudonym Organization",
        "Balance FullyQualifiedName Job ParentRef",
        {
            "SalesTermRef": "Term",
            "PaymentMethodRef": "PaymentMethod",
            "ParentRef": "Customer",
            "DefaultTaxCodeRef": "TaxCode",
        },
    ),
    _person(
        "Vendor",
        "CompanyName BillAddr AcctNum TaxIdentifier TaxReportingBasis TermRef Vendor1099 CurrencyRef BillRate APAccountRef ContactInfo BusinessNumber Notes",
        "Balance V4IDPseudonym",
    ),
    _person(
        "Employee",
        "PrimaryAddr EmployeeNumber SSN BillRate BillableTime CostRate HiredDate ReleasedDate BirthDate Gender Organization",
        "V4IDPseudonym",
    ),
    _list(
        "Item",
        "Name Sku Description PurchaseDesc Type UnitPrice PurchaseCost Taxable SalesTaxCodeRef PurchaseTaxCodeRef SalesTaxIncluded PurchaseTaxIncluded "
        "IncomeAccountRef ExpenseAccountRef AssetAccountRef InvStartDate QtyOnHand TrackQtyOnHand ReorderPoint SubItem ParentRef Active PrefVendorRef "
        "ClassRef TaxClassificationRef",
        "FullyQualifiedName Level ItemCategoryType",
        "Name FullyQualifiedName Type SubItem Taxable Sku ParentRef",
        lengths={"Name": 100, "Sku": 100, "Description": 4000, "PurchaseDesc": 1000},
        references={
            "IncomeAccountRef": "Account",
            "ExpenseAccountRef": "Account",
            "AssetAccountRef": "Account",
            "ParentRef": "Item",
            "SalesTaxCodeRef": "TaxCode",
        },
        enums={"Type": words("Inventory Service NonInventory Category")},
        events=_NAME_EVENTS,
    ),
    _list(
        "Account",
        "Name AccountType AccountSubType AcctNum Description CurrencyRef ParentRef SubAccount TaxCodeRef Active Classification AccountAlias TxnLocationType",
        "FullyQualifiedName CurrentBalance CurrentBalanceWithSubAccounts",
        "Name AccountType AccountSubType Classification FullyQualifiedName SubAccount AcctNum CurrentBalance",
        lengths={"Name": 100, "AcctNum": 20},
        references={"ParentRef": "Account"},
        events=_NAME_EVENTS,
    ),
    _form(
        "Invoice",
        ("CustomerRef", "Line"),
        "DueDate SalesTermRef ProjectRef",
        "DueDate Deposit AllowIPNPayment AllowOnlinePayment AllowOnlineACHPayment AllowOnlineCreditCardPayment InvoiceStatus",
    ),
    _form("CreditMemo", ("CustomerRef", "Line"), "SalesTermRef"),
    _form("RefundReceipt", ("Line", "DepositToAccountRef"), "PaymentType", lengths={"PaymentRefNum": 100}),
    _form("SalesReceipt", ("CustomerRef", "Line"), "TotalAmt", lengths={"PaymentRefNum": 21}),
    Schema(
        "Payment",
        words(
            "CustomerRef TotalAmt TxnDate PaymentRefNum PaymentMethodRef DepositToAccountRef Line CurrencyRef ExchangeRate PrivateNote ProcessPayment "
            "ARAccountRef CreditCardPayment ProjectRef TxnSource TaxExemptionRef TransactionLocationType"
        ),
        words("UnappliedAmt LinkedTxn HomeTotalAmt"),
        ("TotalAmt", "CustomerRef"),
        {"PaymentRefNum": 21, "PrivateNote": 4000},
        {
            "CustomerRef": "Customer",
            "PaymentMethodRef": "PaymentMethod",
            "DepositToAccountRef": "Account",
            "ARAccountRef": "Account",
        },
        filters=words("CustomerRef TxnDate TotalAmt PaymentRefNum PaymentMethodRef"),
        hard_delete=True,
        voidable=True,
        events=_FORM_EVENTS,
        counter="Txn",
    ),
    _list(
        "Term",
        "Name DueDays DayOfMonthDue DueNextMonthDays DiscountPercent DiscountDays DiscountDayOfMonth Type Active",
        lengths={"Name": 31},
        events=words("Create Update"),
    ),
    *(
        _list(
            name,
            "Name SubClass SubDepartment ParentRef Active",
            "FullyQualifiedName",
            "Name FullyQualifiedName",
            lengths={"Name": 100},
            events=_NAME_EVENTS,
        )
        for name in ("Class", "Department")
    ),
    _list(
        "PaymentMethod",
        "Name Type Active",
        filters="Name Type",
        lengths={"Name": 31},
        events=words("Create Update Delete"),
    ),
    _list(
        "TaxCode",
        "Name Description Active Taxable TaxGroup SalesTaxRateList PurchaseTaxRateList Hidden TaxCodeConfigType",
        filters="Name Description",
        changes_reported=False,
    ),
    _list(
        "TaxRate",
        "Name Description RateValue AgencyRef SpecialTaxType DisplayType EffectiveTaxRate Active TaxReturnLineRef",
        filters="Name AgencyRef Description",
        changes_reported=False,
    ),
    Schema("CompanyInfo", words("CompanyName LegalName Country Email")),
    Schema("Preferences", words("SalesFormsPrefs TaxPrefs CurrencyPrefs AccountingInfoPrefs"), events=words("Update")),
    Schema(
        "ExchangeRate",
        words("SourceCurrencyCode TargetCurrencyCode Rate AsOfDate"),
        filters=words("SourceCurrencyCode AsOfDate"),
        changes_reported=False,
    ),
)

SCHEMAS: dict[str, Schema] = {schema.name: schema for schema in _ALL}
BY_PATH: dict[str, Schema] = {schema.path: schema for schema in _ALL}
NAMES = ("Customer", "Vendor", "Employee")
FORMS = ("Invoice", "CreditMemo", "RefundReceipt", "SalesReceipt")
SINGLETONS = ("CompanyInfo", "Preferences")
DOUBLE_KEYS = {  # sales forms are known by their DocNumber
    "Customer": ("DisplayName",),
    "Vendor": ("DisplayName",),
    "Item": ("Name",),
    "Payment": ("PaymentRefNum", "TotalAmt"),
}
