"""What a tenant decides about QuickBooks alone: the `providerSettings` of its connection.

Ids are QuickBooks' own. They are checked against the company's lists when they are changed (`settings_check`).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from erp_pipelines.domain.orders import LineKind
from erp_pipelines.domain.products import ProductKind

Id = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50)]
ByName = Annotated[dict[str, Id], AfterValidator(lambda given: {name.casefold(): to for name, to in given.items()})]
Rate = Annotated[Decimal, Field(ge=0, lt=1)]


class QuickBooksSettings(BaseModel):
    """What stands beneath a setting is shown beside it in forms."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, use_attribute_docstrings=True
    )

    tax_codes: dict[Rate, Id] = {}
    """Outside the US: the tax code of each rate, which is a fraction such as 0.2; that of 0 is for exempt lines."""
    income_accounts: dict[ProductKind, Id] = {}
    """The income account of products of a kind, else incomeAccountId."""
    payment_methods: ByName = {}
    """QuickBooks' method for each of the shop's payment methods, whose names are compared without case."""
    deposit_accounts: ByName = {}
    """The account that payments of one of the shop's methods are deposited to, else that of all payments."""
    overpayments: Literal["ask", "unapplied"] = "ask"
    """What of a payment is beyond the open balance of its invoice: a person's to clear up, or the customer's credit."""
    refund_as: Literal["refundReceipt", "creditMemo"] = "refundReceipt"
    """What becomes of a refund: a receipt says that the money has left, a memo that the customer has it to his credit."""
    refund_account_id: Id | None = None
    """The account that refund receipts are paid from, else that of payments."""
    refund_item_id: Id | None = None
    """The item of what is given back for no line of the order."""
    class_id: Id | None = None
    """Of every invoice and refund."""
    department_id: Id | None = None
    """Of every invoice and refund; QuickBooks may call it a location."""
    line_items: dict[LineKind, Id] = {}
    """The item of lines that are a gift card or a fee; without one it is that of their product."""
    classes: ByName = {}
    """The class of a line by the shop's word for it, else by the line's kind, else classId."""
    terms: ByName = {}
    """QuickBooks' term for each of the shop's payment terms, whose names are compared without case."""
    cancel_voids: bool = False
    """The shop's cancellation of an order voids its invoice, if nobody has paid or edited that."""
    when_edited: Literal["ask", "overwrite"] = "ask"
    """What an update does about an invoice that was edited in QuickBooks meanwhile."""
    rounding_item_id: Id | None = None
    """The item of a line that makes up for cents which QuickBooks computes otherwise than the shop; without it such a document is an open error."""
    rounding_limit: Decimal = Field(default=Decimal("0.05"), gt=0, le=1)
    """How much such a line may come to, in the document's currency."""
