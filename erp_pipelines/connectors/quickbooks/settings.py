"""What a tenant decides about QuickBooks alone: the `providerSettings` of its connection.

Ids are QuickBooks' own. They are checked against the company's lists when they are changed (`settings_check`).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

Id = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50)]
Rate = Annotated[Decimal, Field(ge=0, lt=1)]


class QuickBooksSettings(BaseModel):
    """`taxCodes`: outside the US, the tax code of each rate (a fraction, "0.2"); that of "0" is for exempt lines.

    `roundingItemId`: the item of a line that makes up for cents which QuickBooks computes otherwise than the shop, up to
    `roundingLimit` in the document's currency. Without it, or beyond the limit, such a document is an open error.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    tax_codes: dict[Rate, Id] = {}
    rounding_item_id: Id | None = None
    rounding_limit: Decimal = Field(default=Decimal("0.05"), gt=0, le=1)
