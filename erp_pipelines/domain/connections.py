"""Who is connected to what: tenant ids, connection keys, the states and settings of a connection."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from erp_pipelines.domain.errors import RecordInvalid

TENANT_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def check_tenant_id(tenant_id: str) -> str:
    """The id itself, or RecordInvalid: it stands in URLs, partition keys and lock names."""
    if not TENANT_ID.fullmatch(tenant_id):
        raise RecordInvalid(
            f"{tenant_id!r} is no tenant id.",
            field="tenantId",
            mend="Use up to 63 lower-case letters, digits, '-' and '_', starting with a letter or digit.",
        )
    return tenant_id


@dataclass(frozen=True, order=True)
class ConnectionKey:
    """One tenant's account at one provider, written `acme:quickbooks`: partition key and lock name."""

    tenant_id: str
    provider: str

    def __str__(self) -> str:
        return f"{self.tenant_id}:{self.provider}"

    @classmethod
    def parse(cls, text: str) -> ConnectionKey:
        """Raises RecordInvalid on anything but `tenant:provider`."""
        tenant_id, colon, provider = text.partition(":")
        if not colon or not provider.isidentifier():
            raise RecordInvalid(
                f"{text!r} is no connection key.", mend="Write it as tenant:provider, e.g. acme:quickbooks."
            )
        return cls(check_tenant_id(tenant_id), provider)


class ConnectionState(StrEnum):
    """What a connection can do. Only CONNECTED ones are served; events of the others wait and spend no retry."""

    CONNECTED = "Connected"
    RECONNECT_NEEDED = "Reconnect needed"
    NOT_CONNECTED = "Not Connected"


DocumentsWhen = Literal["paid", "confirmed"]
CustomerField = Literal["name", "email", "phone", "billingAddress", "shippingAddress", "taxExempt", "active"]


class ConnectionSettings(BaseModel):
    """What an admin decides about a connection. Stored as JSON, served in camelCase.

    Orders dated before `start_date`, and their payments, are never brought to the ERP.
    The account and item ids are the ERP's own; left empty, the connector takes what it
    found in the company when it was connected. `provider_settings` are the provider's own, as its connector
    has checked them (`Connector.settings_model`). `customer_fields_from_erp` names the fields of our customers that follow
    a change in the ERP; a change of any other field is shown as drift. Once `reads_per_month` are made, what is not urgent waits for the next one.
    In `diagnostic_mode` the log keeps what was said in every try, not only in those that failed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    auto_sync_enabled: bool = True
    sync_customers: bool = True
    sync_products: bool = True
    sync_invoices: bool = True
    sync_payments: bool = True
    documents_when: DocumentsWhen = "paid"
    start_date: dt.date | None = None
    income_account_id: str | None = None
    deposit_account_id: str | None = None
    discount_account_id: str | None = None
    shipping_item_id: str | None = None
    tax_code_id: str | None = None
    exempt_tax_code_id: str | None = None
    customer_fields_from_erp: tuple[CustomerField, ...] = ()
    reads_per_month: int | None = Field(default=None, ge=0)
    diagnostic_mode: bool = False
    provider_settings: dict[str, Any] | None = None
