"""Customers and items read back into our words, so that what stands in QuickBooks can be compared with the shop's record.

Both sides take the same way: our record is mapped as for a push and read back too. So what a push cleans, cuts or moves to
another field is no difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from erp_pipelines.connectors.base import ExternalRef, NameState
from erp_pipelines.connectors.mapping import number
from erp_pipelines.connectors.quickbooks import mapper_names
from erp_pipelines.connectors.quickbooks.client import QuickBooksClient
from erp_pipelines.connectors.quickbooks.company import Books
from erp_pipelines.connectors.quickbooks.config import QuickBooksConfig
from erp_pipelines.connectors.quickbooks.wire import Entity, Wire
from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.events import CanonicalRecord
from erp_pipelines.domain.products import Product

ANY_ACCOUNT = "0"  # what an item earns on is no field of ours


class EmailPart(Wire):
    address: str | None = None


class PhonePart(Wire):
    free_form_number: str | None = None


class AddressPart(Wire):
    line1: str | None = None
    line2: str | None = None
    line3: str | None = None
    line4: str | None = None
    line5: str | None = None
    city: str | None = None
    country_sub_division_code: str | None = None
    postal_code: str | None = None
    country: str | None = None


class CustomerCard(Wire):
    """What of a customer has a field of ours, whether it stands there or is about to be sent."""

    display_name: str = ""
    primary_email_addr: EmailPart = EmailPart()
    primary_phone: PhonePart = PhonePart()
    bill_addr: AddressPart = AddressPart()
    ship_addr: AddressPart = AddressPart()
    taxable: bool = True
    active: bool = True

    def fields(self, config: QuickBooksConfig) -> dict[str, Any]:
        return {
            "name": _name(self.display_name, config, active=self.active),
            "email": self.primary_email_addr.address,
            "phone": self.primary_phone.free_form_number,
            "billingAddress": _address(self.bill_addr),
            "shippingAddress": _address(self.ship_addr),
            "taxExempt": not self.taxable,
            "active": self.active,
        }


class ItemCard(Wire):
    """The same of an item."""

    name: str = ""
    sku: str | None = None
    description: str | None = None
    unit_price: Decimal | None = None
    taxable: bool | None = None
    active: bool = True

    def fields(self, config: QuickBooksConfig) -> dict[str, Any]:
        return {
            "name": _name(self.name, config, active=self.active),
            "sku": self.sku or None,
            "description": self.description or None,
            # An item without a price is answered with a price of nothing.
            "unitPrice": f"{number(self.unit_price):f}" if self.unit_price else None,
            "taxable": self.taxable,
            "active": self.active,
        }


class CustomerThere(Entity, CustomerCard): ...


class ItemThere(Entity, ItemCard): ...


def read_names(
    client: QuickBooksClient, config: QuickBooksConfig, refs: Sequence[ExternalRef]
) -> tuple[NameState, ...]:
    """A call per hundred of each list. What is not there any more was merged: QuickBooks deletes no names."""
    customers = _ids(refs, "Customer")
    items = _ids(refs, "Item")
    found: dict[ExternalRef, CustomerThere | ItemThere] = {
        **{ExternalRef("Customer", doc.id): doc for doc in client.by_ids(CustomerThere, "Customer", customers)},
        **{ExternalRef("Item", doc.id): doc for doc in client.by_ids(ItemThere, "Item", items)},
    }
    asked = [*(ExternalRef("Customer", one) for one in customers), *(ExternalRef("Item", one) for one in items)]
    return tuple(_state(ref, found.get(ref), config) for ref in asked)


def listed(client: QuickBooksClient, config: QuickBooksConfig, entity: str, start: int) -> tuple[NameState, ...]:
    """A thousand of the list at a time, by Id. Categories of items are none of them: they cannot be sold."""
    model: type[CustomerThere | ItemThere] = CustomerThere if entity == "Customer" else ItemThere
    docs = client.query(model, entity, "Active in (true, false) orderby Id", start=start)
    return tuple(_state(ExternalRef(entity, doc.id), doc, config) for doc in docs)


def as_there(record: CanonicalRecord, books: Books) -> dict[str, Any]:
    """How our record reads there. Nothing for what stands in no name list."""
    match record:
        case Customer():
            return CustomerCard.model_validate(mapper_names.customer(record, books)).fields(books.config)
        case Product():
            known = replace(books, income_account_id=books.income_account_id or ANY_ACCOUNT)
            read = ItemCard.model_validate(mapper_names.item(record, known)).fields(books.config)
            return read if books.in_the_us else {name: value for name, value in read.items() if name != "taxable"}
    return {}


def _ids(refs: Sequence[ExternalRef], entity: str) -> list[str]:
    return sorted({ref.external_id for ref in refs if ref.external_type == entity})


def _state(ref: ExternalRef, doc: CustomerThere | ItemThere | None, config: QuickBooksConfig) -> NameState:
    if doc is None:
        return NameState(ref, gone=True, fields={})
    return NameState(ref, False, doc.fields(config), doc.updated_at, doc.sync_token)


def _name(text: str, config: QuickBooksConfig, *, active: bool) -> str:
    return text if active else text.partition(config.inactive_suffix)[0]


def _address(part: AddressPart) -> Mapping[str, str] | None:
    """Three lines are read as who receives and where, fewer as where alone; None for an empty one."""
    lines = [line for line in (part.line1, part.line2, part.line3, part.line4, part.line5) if line]
    names = ("name", "line1", "line2") if len(lines) > 2 else ("line1", "line2")
    told = dict(zip(names, [*lines[:2], ", ".join(lines[2:])], strict=False))
    rest = {
        "city": part.city,
        "region": part.country_sub_division_code,
        "postalCode": part.postal_code,
        "country": part.country,
    }
    return {name: value for name, value in {**told, **rest}.items() if value} or None
