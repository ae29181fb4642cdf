"""Who a company is and what its books allow: read when it is connected, kept, and lent back as facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from erp_pipelines.connectors.base import ConnectionFacts
from erp_pipelines.connectors.provider import Company
from erp_pipelines.connectors.quickbooks.client import QuickBooksClient
from erp_pipelines.connectors.quickbooks.config import QuickBooksConfig
from erp_pipelines.connectors.quickbooks.settings import QuickBooksSettings
from erp_pipelines.connectors.quickbooks.wire import AccountDoc, TaxCodeDoc, TaxRateDoc
from erp_pipelines.domain.connections import ConnectionSettings

HOME_OF_AST = "US"


@dataclass(frozen=True)
class TaxCode:
    """A tax code of a company outside the US: the percentage of each of its rates for sales, by the rate's id."""

    active: bool
    percents: Mapping[str, Decimal]

    @property
    def percent(self) -> Decimal:
        return sum(self.percents.values(), Decimal(0))


@dataclass(frozen=True)
class Books:
    """What the mapper must know of a company: its facts, the tenant's settings and the switches."""

    config: QuickBooksConfig
    settings: ConnectionSettings = field(default_factory=ConnectionSettings)
    own: QuickBooksSettings = field(default_factory=QuickBooksSettings)
    country: str = HOME_OF_AST
    home_currency: str = "USD"
    multi_currency: bool = False
    custom_txn_numbers: bool = True
    allow_shipping: bool = True
    allow_discount: bool = True
    using_sales_tax: bool = True
    income_account_id: str = ""
    tax_codes: Mapping[str, TaxCode] = field(default_factory=dict)

    @property
    def in_the_us(self) -> bool:
        """Where lines take only the tax codes TAX and NON."""
        return self.country == HOME_OF_AST


def books(connection: ConnectionFacts, config: QuickBooksConfig) -> Books:
    """The facts that `described` found; where one is missing, what most companies have."""
    facts, default = connection.company, Books(config)
    return Books(
        config=config,
        settings=connection.settings,
        own=QuickBooksSettings.model_validate(connection.settings.provider_settings or {}),
        country=str(facts.get("country") or default.country),
        home_currency=str(facts.get("homeCurrency") or default.home_currency),
        multi_currency=bool(facts.get("multiCurrency", default.multi_currency)),
        custom_txn_numbers=bool(facts.get("customTxnNumbers", default.custom_txn_numbers)),
        allow_shipping=bool(facts.get("allowShipping", default.allow_shipping)),
        allow_discount=bool(facts.get("allowDiscount", default.allow_discount)),
        using_sales_tax=bool(facts.get("usingSalesTax", default.using_sales_tax)),
        income_account_id=str(connection.settings.income_account_id or facts.get("incomeAccountId") or ""),
        tax_codes=tax_codes(facts),
    )


def tax_codes(facts: Mapping[str, Any]) -> dict[str, TaxCode]:
    """The tax codes among the facts of a company, by their ids."""
    found = dict(facts.get("taxCodes") or {})
    return {
        code: TaxCode(one["active"], {i: Decimal(p) for i, p in one["rates"].items()}) for code, one in found.items()
    }


def described(client: QuickBooksClient, config: QuickBooksConfig) -> Company:
    """Read the company: three calls, five outside the US. The facts are JSON."""
    info, preferences = client.company_info(), client.preferences()
    forms, currency = preferences.sales_forms_prefs, preferences.currency_prefs
    facts: dict[str, Any] = {
        "country": info.country or HOME_OF_AST,
        "timeZone": info.default_time_zone,
        "homeCurrency": currency.home_currency.value or "USD",
        "multiCurrency": currency.multi_currency_enabled,
        "customTxnNumbers": forms.custom_txn_numbers,
        "allowShipping": forms.allow_shipping,
        "allowDiscount": forms.allow_discount,
        "usingSalesTax": preferences.tax_prefs.using_sales_tax,
        "partnerTax": preferences.tax_prefs.partner_tax_enabled,
        "bookCloseDate": preferences.accounting_info_prefs.book_close_date,
        "incomeAccountId": _income_account(client.query(AccountDoc, "Account", "AccountType = 'Income'")),
        "taxCodes": {} if info.country == HOME_OF_AST else read_tax_codes(client),
    }
    return Company(client.company_id, info.company_name, config.environment, facts)


def _income_account(accounts: Sequence[AccountDoc]) -> str | None:
    """The first account for product income, else the first income account; None where there is none."""
    usable = sorted(
        (account for account in accounts if account.active),
        key=lambda account: (account.account_sub_type != "SalesOfProductIncome", len(account.id), account.id),
    )
    return usable[0].id if usable else None


def read_tax_codes(client: QuickBooksClient) -> dict[str, Any]:
    """Every tax code with its rates for sales, as a fact: two calls."""
    percents = {rate.id: rate.rate_value for rate in client.query(TaxRateDoc, "TaxRate")}
    return {code.id: _code_fact(code, percents) for code in client.query(TaxCodeDoc, "TaxCode")}


def _code_fact(code: TaxCodeDoc, percents: Mapping[str, Decimal]) -> dict[str, Any]:
    ids = [one.tax_rate_ref.value for one in code.sales_tax_rate_list.tax_rate_detail]
    return {"active": code.active, "rates": {rate: str(percents[rate]) for rate in ids if rate in percents}}
