"""What an admin decides about a NetSuite connection: its `providerSettings`."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

from erp_pipelines.connectors.base import ConnectionFacts
from erp_pipelines.domain.orders import LineKind


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone; one is written as America/New_York") from None
    return name


InternalId = Annotated[str, StringConstraints(pattern=r"^-?\d{1,15}$")]
FieldId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{1,60}$")]
Prefix = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,20}$")]
Zone = Annotated[str, AfterValidator(_known_zone)]
ByName = Annotated[
    dict[str, InternalId], AfterValidator(lambda given: {name.casefold(): to for name, to in given.items()})
]
FieldValues = dict[FieldId, Any]


class FormIds(BaseModel):
    """The custom form of each kind of record, by internal id; NetSuite's preferred form where there is none."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    customer: InternalId | None = None
    item: InternalId | None = None
    sales_order: InternalId | None = None
    invoice: InternalId | None = None
    customer_payment: InternalId | None = None


class NetSuiteSettings(BaseModel):
    """Ids are NetSuite's internal ones. What is left empty is not sent, and NetSuite or its form decides.

    What stands beneath a setting is shown beside it in forms.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, use_attribute_docstrings=True
    )

    subsidiary_id: InternalId | None = None
    """Of new customers, in a OneWorld account."""
    location_id: InternalId | None = None
    """Of every order, where the account or its form wants one."""
    department_id: InternalId | None = None
    """Of every order, where the account or its form wants one."""
    class_id: InternalId | None = None
    """Of every order, where the account or its form wants one."""
    custom_form_ids: FormIds = FormIds()
    """The internal id of the form of each kind of record, else NetSuite's preferred one."""
    customer_fields: FieldValues = {}
    item_fields: FieldValues = {}
    order_fields: FieldValues = {}
    line_fields: FieldValues = {}
    payment_fields: FieldValues = {}

    income_account_id: InternalId | None = None
    """Of new items."""
    cogs_account_id: InternalId | None = None
    """Cost of goods sold, of new items."""
    asset_account_id: InternalId | None = None
    """Of new items that are kept in stock."""
    deposit_account_id: InternalId | None = None
    """Of payments, else undeposited funds."""
    tax_schedule_id: InternalId | None = None
    """Of new items."""
    base_price_level_id: InternalId | None = None
    """The price level that takes a product's list price; without it none is sent."""

    tax_engine: Literal["suiteTax", "legacy"] | None = None
    """Found when connected; here it is decided otherwise."""
    tax_codes: dict[str, InternalId] = {}
    """The tax code of each rate in percent, such as 8.25, and under default the one of any other rate."""
    exempt_tax_code_id: InternalId | None = None
    """Of lines without tax."""
    tax_type_id: InternalId | None = None
    """With SuiteTax, of the taxes that the shop has computed."""
    shipping_item_id: InternalId | None = None
    """Shipping as a line of the order with this item, else in its header; with SuiteTax a tax on shipping needs the line."""
    ship_method_id: InternalId | None = None
    """Of shipping in the order's header."""
    discount_item_id: InternalId | None = None
    """Carries the discount of the whole order; without it the discount is in the lines' rates."""
    line_items: dict[LineKind, InternalId] = {}
    """The item of lines that are a gift card or a fee; without one it is that of their product."""
    classes: ByName = {}
    """The class of a line by the shop's word for it, else by the line's kind, else classId."""

    document: Literal["salesOrder", "invoice"] = "salesOrder"
    """What an order becomes."""
    order_status: Literal["A", "B"] | None = None
    """A: pending approval, B: pending fulfillment; else the account's own default."""
    transform_to_invoice: Literal["never", "whenPaid", "always"] = "never"
    """Whether the invoice of a sales order is made too."""
    customer_numbering: Literal["name", "auto"] = "name"
    """Customers are named as in the shop, or numbered by NetSuite."""
    natural_key: Literal["externalId", "tranId", "otherRefNum", "customField"] = "externalId"
    """What tells our documents, where external ids belong to another integration."""
    natural_key_field: FieldId | None = None
    """The id of the field where that is a custom field, such as custbody_shop_id."""
    external_id_prefix: Prefix = "shop"
    """Before our ids in external ids."""
    time_zone: Zone | None = None
    """Of SuiteQL's moments, such as America/New_York; found when connected."""
    concurrency: int | None = Field(default=None, ge=1, le=100)
    """Calls under way at once, at most."""

    @model_validator(mode="after")
    def _consistent(self) -> NetSuiteSettings:
        if self.natural_key == "customField" and not self.natural_key_field:
            raise ValueError("naturalKey customField needs the field's id as naturalKeyField, such as custbody_shop_id")
        if self.document == "invoice" and self.transform_to_invoice != "never":
            raise ValueError(
                "transformToInvoice is for sales orders; with document invoice there is nothing to transform"
            )
        for key in self.tax_codes:
            _check_rate(key)
        return self


def _check_rate(key: str) -> None:
    if key != "default" and not key.replace(".", "", 1).isdigit():
        raise ValueError(f"taxCodes: {key!r} is neither a rate in percent nor 'default'")


def rate_codes(settings: NetSuiteSettings) -> dict[Decimal, str]:
    """The tax codes by their rate in percent."""
    return {Decimal(key): code for key, code in settings.tax_codes.items() if key != "default"}


def own_settings(connection: ConnectionFacts) -> NetSuiteSettings:
    """The connection's; the engine has checked them when they were saved."""
    return NetSuiteSettings.model_validate(connection.settings.provider_settings or {})
