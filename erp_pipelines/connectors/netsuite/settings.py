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

    `taxCodes` gives the tax code of a rate in percent ("8.25"), and under "default" the one for any other.
    `lineItems`: the item of lines that are a gift card or a fee; without one it is that of their product. `classes`: the
    class of a line by the shop's word for it, else by the line's kind, else `classId`.
    `naturalKey`: what tells our documents where external ids belong to another integration.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    subsidiary_id: InternalId | None = None
    location_id: InternalId | None = None
    department_id: InternalId | None = None
    class_id: InternalId | None = None
    custom_form_ids: FormIds = FormIds()
    customer_fields: FieldValues = {}
    item_fields: FieldValues = {}
    order_fields: FieldValues = {}
    line_fields: FieldValues = {}
    payment_fields: FieldValues = {}

    income_account_id: InternalId | None = None
    cogs_account_id: InternalId | None = None
    asset_account_id: InternalId | None = None
    deposit_account_id: InternalId | None = None
    tax_schedule_id: InternalId | None = None
    base_price_level_id: InternalId | None = None

    tax_engine: Literal["suiteTax", "legacy"] | None = None
    tax_codes: dict[str, InternalId] = {}
    exempt_tax_code_id: InternalId | None = None
    tax_type_id: InternalId | None = None
    shipping_item_id: InternalId | None = None
    ship_method_id: InternalId | None = None
    discount_item_id: InternalId | None = None
    line_items: dict[LineKind, InternalId] = {}
    classes: ByName = {}

    document: Literal["salesOrder", "invoice"] = "salesOrder"
    order_status: Literal["A", "B"] | None = None
    transform_to_invoice: Literal["never", "whenPaid", "always"] = "never"
    customer_numbering: Literal["name", "auto"] = "name"
    natural_key: Literal["externalId", "tranId", "otherRefNum", "customField"] = "externalId"
    natural_key_field: FieldId | None = None
    external_id_prefix: Prefix = "shop"
    time_zone: Zone | None = None
    concurrency: int | None = Field(default=None, ge=1, le=100)

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
