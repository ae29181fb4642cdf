"""What is read of NetSuite's answers. Anything else in them is ignored, and whatever may be absent has a default."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

ZERO = Decimal(0)


def _id_of(value: Any) -> Any:
    """References and enumerations come as an object with an id, enumerations of old as the bare id."""
    return value.get("id", "") if isinstance(value, dict) else value


Reference = Annotated[str, BeforeValidator(_id_of)]


class Wire(BaseModel):
    """Fields are named as on the wire, in camelCase there and snake_case here."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class RecordDoc(Wire):
    """Fields that are named nowhere here stay in `model_extra`: a tenant's own ones, to see that they were taken."""

    model_config = ConfigDict(extra="allow")

    id: str
    external_id: str = ""
    last_modified_date: dt.datetime | None = None

    @property
    def stamp(self) -> str:
        """When it was saved last, to the second; empty where NetSuite does not say."""
        return self.updated_at.isoformat(timespec="seconds") if self.updated_at else ""

    @property
    def updated_at(self) -> dt.datetime | None:
        """In UTC, as records always tell it."""
        moment = self.last_modified_date
        return moment.astimezone(dt.UTC) if moment and moment.tzinfo else None


class AddressDoc(Wire):
    model_config = ConfigDict(extra="allow")

    addressee: str = ""
    addr1: str = ""
    addr2: str = ""
    addr3: str = ""
    city: str = ""
    state: str = ""
    zip: str = ""
    country: Reference = ""


class AddressEntry(Wire):
    """An entry of the address book; what is named nowhere here is kept, to be sent back as it is."""

    model_config = ConfigDict(extra="allow")

    internal_id: int | None = None
    label: str = ""
    default_billing: bool = False
    default_shipping: bool = False
    address: AddressDoc = Field(default=AddressDoc(), alias="addressBookAddress")


class AddressBook(Wire):
    items: tuple[AddressEntry, ...] = ()


class CustomerDoc(RecordDoc):
    entity_id: str = ""
    company_name: str = ""
    is_inactive: bool = False
    address_book: AddressBook = AddressBook()


class ItemDoc(RecordDoc):
    item_id: str = ""
    is_inactive: bool = False


class LineDoc(Wire):
    line: int
    is_closed: bool = False
    quantity_billed: Decimal = ZERO
    quantity_fulfilled: Decimal = ZERO


class LinesDoc(Wire):
    items: tuple[LineDoc, ...] = ()


class SaleDoc(RecordDoc):
    """A sales order or an invoice. `status` is its letter."""

    tran_id: str | None = None
    total: Decimal = ZERO
    status: Reference = ""
    other_ref_num: str | None = None
    memo: str | None = None
    amount_remaining: Decimal | None = None
    item: LinesDoc = LinesDoc()


class PaymentDoc(RecordDoc):
    tran_id: str | None = None
    payment: Decimal = ZERO
    status: Reference = ""
    unapplied: Decimal = ZERO


class TokenDoc(BaseModel):
    """The token endpoint writes snake_case; the seconds come as a number or as a text."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    access_token: str = Field(min_length=1, repr=False)
    expires_in: float = 3600
