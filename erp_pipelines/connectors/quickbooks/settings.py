"""What a tenant decides about QuickBooks alone: the `providerSettings` of its connection.

Ids are QuickBooks' own. They are checked against the company's lists when they are changed (`settings_check`).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from erp_pipelines.domain.orders import LineKind

Id = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50)]
ByName = Annotated[dict[str, Id], AfterValidator(lambda given: {name.casefold(): to for name, to in given.items()})]
Rate = Annotated[Decimal, Field(ge=0, lt=1)]


class QuickBooksSettings(BaseModel):
    """`taxCodes`: outside the US, the tax code of each rate (a fraction, "0.2"); that of "0" is for exempt lines.

    `paymentByName` and `depositAccounts`: QuickBooks' method, and the account, of each of the shop's payment methods, whose
    names are compared without case. `overpayments`: what of a payment is beyond the open balance of its invoice: a person's
    to clear up, or left unapplied, to the customer's credit.
    `refundAs`: what becomes of a refund. A receipt says that the money has left `refundAccountId` (else the connection's
    `depositAccountId`), a memo that the customer has it to his credit. `refundItemId`: for what is given back for no line.
    `lineItems`: the item of lines that are a gift card or a fee; without one it is that of their product.
    `classId`, `departmentId`: of every invoice and refund. `classes`: the class of a line by the shop's word for it, else by
    the line's kind. `terms`: QuickBooks' term of each of the shop's payment terms.
    `cancelVoids`: the shop's cancellation of an order voids its invoice, if nobody has paid or edited that. `whenEdited`: what
    an update does about an invoice that was edited in QuickBooks meanwhile: ask a person, or overwrite it.
    `roundingItemId`: the item of a line that makes up for cents which QuickBooks computes otherwise than the shop, up to
    `roundingLimit` in the document's currency. Without it, or beyond the limit, such a document is an open error.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    tax_codes: dict[Rate, Id] = {}
    payment_methods: ByName = {}
    deposit_accounts: ByName = {}
    overpayments: Literal["ask", "unapplied"] = "ask"
    refund_as: Literal["refundReceipt", "creditMemo"] = "refundReceipt"
    refund_account_id: Id | None = None
    refund_item_id: Id | None = None
    class_id: Id | None = None
    department_id: Id | None = None
    line_items: dict[LineKind, Id] = {}
    classes: ByName = {}
    terms: ByName = {}
    cancel_voids: bool = False
    when_edited: Literal["ask", "overwrite"] = "ask"
    rounding_item_id: Id | None = None
    rounding_limit: Decimal = Field(default=Decimal("0.05"), gt=0, le=1)
