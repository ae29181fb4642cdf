"""What is read of QuickBooks' answers. Anything else in them is ignored, and whatever may be absent has a default."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_pascal

ZERO = Decimal(0)


class Wire(BaseModel):
    """Fields are named as on the wire, in PascalCase there and snake_case here."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_pascal, populate_by_name=True)


class Reference(Wire):
    """References alone are written in lower case."""

    value: str = Field(default="", alias="value")
    name: str | None = Field(default=None, alias="name")


class MetaData(Wire):
    last_updated_time: dt.datetime | None = None


class Entity(Wire):
    id: str
    sync_token: str = "0"  # noqa: S105 - a version
    meta_data: MetaData = MetaData()

    @property
    def updated_at(self) -> dt.datetime | None:
        """In UTC. QuickBooks writes an offset; without one the moment is not known."""
        moment = self.meta_data.last_updated_time
        return moment.astimezone(dt.UTC) if moment and moment.tzinfo else None


class ChangedDoc(Entity):
    """What a pull reads of any document; a deleted one is a stub with this status."""

    status: str = Field(default="", alias="status")
    balance: Decimal | None = None


class Listed(Entity):
    """A row of a name list of which it only counts that it is there."""

    name: str = ""
    active: bool = True


class CustomerDoc(Entity):
    display_name: str = ""
    active: bool = True
    notes: str = ""


class ItemDoc(Entity):
    name: str = ""
    sku: str = ""
    type: str = ""
    active: bool = True


class LinkedTxn(Wire):
    txn_id: str = ""
    txn_type: str = ""


class SalesDetail(Wire):
    item_ref: Reference = Reference()
    qty: Decimal | None = None
    tax_code_ref: Reference = Reference()


class FormLine(Wire):
    detail_type: str = ""
    amount: Decimal = ZERO
    sales_item_line_detail: SalesDetail = SalesDetail()


class TaxDetail(Wire):
    total_tax: Decimal = ZERO


class InvoiceDoc(Entity):
    doc_number: str | None = None
    txn_date: str = ""
    due_date: str = ""
    line: tuple[FormLine, ...] = ()
    txn_tax_detail: TaxDetail = TaxDetail()
    total_amt: Decimal = ZERO
    balance: Decimal = ZERO
    private_note: str = ""
    exchange_rate: Decimal | None = None
    linked_txn: tuple[LinkedTxn, ...] = ()
    customer_ref: Reference = Reference()


class CreditMemoDoc(InvoiceDoc):
    """A sales form like an invoice; the balance is what is left of the credit."""


class RefundReceiptDoc(InvoiceDoc):
    """A sales form like an invoice, with nothing left to pay."""


class PaymentLine(Wire):
    amount: Decimal = ZERO
    linked_txn: tuple[LinkedTxn, ...] = ()


class PaymentDoc(Entity):
    total_amt: Decimal = ZERO
    txn_date: dt.date | None = None
    payment_ref_num: str | None = None
    payment_method_ref: Reference | None = None
    private_note: str = ""
    line: tuple[PaymentLine, ...] = ()


class AccountDoc(Entity):
    fully_qualified_name: str = ""
    account_type: str = ""
    account_sub_type: str = ""
    active: bool = True


class TaxRateDetail(Wire):
    tax_rate_ref: Reference = Reference()


class TaxRateList(Wire):
    tax_rate_detail: tuple[TaxRateDetail, ...] = ()


class TaxRateDoc(Entity):
    rate_value: Decimal = ZERO


class TaxCodeDoc(Entity):
    name: str = ""
    active: bool = True
    sales_tax_rate_list: TaxRateList = TaxRateList()


class CompanyInfoDoc(Wire):
    company_name: str = ""
    country: str = ""
    default_time_zone: str | None = None


class SalesFormsPrefs(Wire):
    custom_txn_numbers: bool = False
    allow_shipping: bool = False
    allow_discount: bool = False


class TaxPrefs(Wire):
    using_sales_tax: bool = False
    partner_tax_enabled: bool = False


class CurrencyPrefs(Wire):
    multi_currency_enabled: bool = False
    home_currency: Reference = Reference()


class AccountingInfoPrefs(Wire):
    book_close_date: str | None = None


class PreferencesDoc(Wire):
    sales_forms_prefs: SalesFormsPrefs = SalesFormsPrefs()
    tax_prefs: TaxPrefs = TaxPrefs()
    currency_prefs: CurrencyPrefs = CurrencyPrefs()
    accounting_info_prefs: AccountingInfoPrefs = AccountingInfoPrefs()


class TokenDoc(BaseModel):
    """The token host writes snake_case. The refresh token's life is read, never assumed: 100 and 101 days were seen."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    access_token: str = Field(min_length=1, repr=False)
    refresh_token: str = Field(min_length=1, repr=False)
    expires_in: float = 3600
    x_refresh_token_expires_in: float = 8640000
    x_refresh_token_hard_expires_in: float | None = None
