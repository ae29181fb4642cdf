"""What a new company file holds, and the entities that mirror its settings (reference 4.10, 4.11)."""

from __future__ import annotations

from decimal import Decimal

from erp_twins.jsonio import Doc
from erp_twins.quickbooks.company import Change, Company
from erp_twins.quickbooks.money import ZERO

_ACCOUNTS = (
    ("Checking", "Bank", "Checking", "Asset"),
    ("Accounts Receivable (A/R)", "Accounts Receivable", "AccountsReceivable", "Asset"),
    ("Undeposited Funds", "Other Current Asset", "UndepositedFunds", "Asset"),
    ("Inventory Asset", "Other Current Asset", "Inventory", "Asset"),
    ("Sales of Product Income", "Income", "SalesOfProductIncome", "Revenue"),
    ("Services", "Income", "ServiceFeeIncome", "Revenue"),
    ("Shipping Income", "Income", "OtherPrimaryIncome", "Revenue"),
    ("Discounts given", "Income", "DiscountsRefundsGiven", "Revenue"),
    ("Cost of Goods Sold", "Cost of Goods Sold", "SuppliesMaterialsCogs", "Expense"),
    ("Payment Processing Fees", "Expense", "BankCharges", "Expense"),
    ("Sales Tax Payable", "Other Current Liability", "SalesTaxPayable", "Liability"),
)
_TERMS = (("Due on receipt", 0), ("Net 15", 15), ("Net 30", 30), ("Net 60", 60))
_METHODS = (
    ("Cash", "NON_CREDIT_CARD"),
    ("Check", "NON_CREDIT_CARD"),
    ("Visa", "CREDIT_CARD"),
    ("MasterCard", "CREDIT_CARD"),
    ("Bank transfer", "NON_CREDIT_CARD"),
)
_RATES = (
    ("1", "Standard", Decimal(20)),
    ("2", "Reduced", Decimal(5)),
    ("3", "Zero", Decimal(0)),
    ("4", "Provincial", Decimal("9.975")),
)
# Outside the US: Id and name of each code, and the rates behind it.
_CODES = (("1", "Standard", "1"), ("2", "Reduced", "2"), ("3", "Zero", "3"), ("4", "Federal and provincial", "2 4"))


def fill(company: Company) -> None:
    """Seed an empty company, without history and webhooks."""
    listener, company.listener = company.listener, None
    company.commit([Change(entity, doc, "Create") for entity, doc in _documents(company)])
    company.history.clear()
    company.listener = listener


def _documents(company: Company) -> list[tuple[str, Doc]]:
    rows = [*_accounts(company), *_terms(company), *_methods(company)]
    return [*rows, *(_foreign_tax() if company.settings.tax_engine == "non_us" else _us_tax(company))]


def _base(ident: str, **values: object) -> Doc:
    return {"Id": ident, "domain": "QBO", "sparse": False, "Active": True, **values}


def _accounts(company: Company) -> list[tuple[str, Doc]]:
    common = {"SubAccount": False, "CurrentBalance": ZERO, "CurrencyRef": {"value": company.settings.currency}}
    return [
        (
            "Account",
            _base(
                company.next_id("Account"),
                Name=name,
                FullyQualifiedName=name,
                AccountType=kind,
                AccountSubType=sub,
                Classification=group,
                **common,
            ),
        )
        for name, kind, sub, group in _ACCOUNTS
    ]


def _terms(company: Company) -> list[tuple[str, Doc]]:
    return [("Term", _base(company.next_id("Term"), Name=name, Type="STANDARD", DueDays=days)) for name, days in _TERMS]


def _methods(company: Company) -> list[tuple[str, Doc]]:
    return [("PaymentMethod", _base(company.next_id("PaymentMethod"), Name=name, Type=kind)) for name, kind in _METHODS]


def _us_tax(company: Company) -> list[tuple[str, Doc]]:
    """The pseudo codes TAX and NON, and one real code for companies without automated tax."""
    rate = _base("1", Name="State sales tax", RateValue=company.settings.ast_rate_percent, AgencyRef={"value": "1"})
    codes = [
        _base("TAX", Name="TAX", Description="Taxable", Taxable=True),
        _base("NON", Name="NON", Description="Not taxable", Taxable=False),
    ]
    return [("TaxRate", rate), *(("TaxCode", code) for code in codes), ("TaxCode", _code("2", "State sales tax", "1"))]


def _foreign_tax() -> list[tuple[str, Doc]]:
    rates = [
        ("TaxRate", _base(ident, Name=name, RateValue=value, AgencyRef={"value": "1"})) for ident, name, value in _RATES
    ]
    return [*rates, *(("TaxCode", _code(*code)) for code in _CODES)]


def _code(ident: str, name: str, rates: str) -> Doc:
    entries = [
        {"TaxRateRef": {"value": rate}, "TaxTypeApplicable": "TaxOnAmount", "TaxOrder": 0} for rate in rates.split()
    ]
    return _base(
        ident, Name=name, Description=name, Taxable=True, TaxGroup=True, SalesTaxRateList={"TaxRateDetail": entries}
    )


def singleton(company: Company, entity: str) -> Doc:
    """CompanyInfo or Preferences as the settings say."""
    moment = company.now().isoformat(timespec="seconds")
    common = {
        "domain": "QBO",
        "sparse": False,
        "SyncToken": "0",
        "MetaData": {"CreateTime": moment, "LastUpdatedTime": moment},
    }
    return {**(_info(company) if entity == "CompanyInfo" else _preferences(company)), **common}


def _info(company: Company) -> Doc:
    settings = company.settings
    names = {
        "OfferingSku": "QuickBooks Online Plus",
        "NeoEnabled": "true",
        "SubscriptionStatus": "PAID" if settings.subscription_active else "EXPIRED",
    }
    address = {
        "Id": "1",
        "Line1": "12 Quay Street",
        "City": "Port Ellery",
        "CountrySubDivisionCode": "CA",
        "PostalCode": "90001",
        "Country": "USA" if settings.country == "US" else settings.country,
    }
    return {
        "Id": "1",
        "CompanyName": settings.name,
        "LegalName": settings.name,
        "Country": settings.country,
        "CompanyAddr": address,
        "CustomerCommunicationAddr": address,
        "LegalAddr": address,
        "Email": {"Address": settings.email},
        "FiscalYearStartMonth": "January",
        "SupportedLanguages": "en",
        "DefaultTimeZone": settings.time_zone,
        "NameValue": [{"Name": name, "Value": value} for name, value in names.items()],
    }


def _preferences(company: Company) -> Doc:
    settings = company.settings
    forms = {
        "CustomTxnNumbers": settings.custom_txn_numbers,
        "AllowShipping": settings.allow_shipping,
        "AllowDiscount": settings.allow_discount,
        "AllowDeposit": settings.allow_deposit,
        "AllowEstimates": True,
        "DefaultTerms": {"value": "3"},
        "AutoApplyCredit": False,
    }
    books = {"TrackDepartments": False, "ClassTrackingPerTxn": False, "ClassTrackingPerTxnLine": False}
    return {
        "Id": "1",
        "SalesFormsPrefs": forms,
        "TaxPrefs": {
            "UsingSalesTax": settings.tax_engine != "us_none",
            "PartnerTaxEnabled": settings.tax_engine == "us_ast",
        },
        "CurrencyPrefs": {"MultiCurrencyEnabled": settings.multicurrency, "HomeCurrency": {"value": settings.currency}},
        "AccountingInfoPrefs": {
            **books,
            **({"BookCloseDate": settings.book_close_date} if settings.book_close_date else {}),
        },
        "ProductAndServicesPrefs": {"ForSales": True, "QuantityOnHand": True, "QuantityWithPriceAndRate": True},
    }
