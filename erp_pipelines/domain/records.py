"""What all canonical records share: frozen, camelCase outside, nothing unknown let in."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

from erp_pipelines.domain.errors import RecordInvalid
from erp_pipelines.domain.money import check_currency

RecordId = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)]
Currency = Annotated[str, AfterValidator(check_currency)]
# Fifteen digits before the point are more than any ledger here holds.
Amount = Annotated[Decimal, Field(max_digits=20, decimal_places=5)]


class Record(BaseModel):
    """A canonical record: compared by value, serialised in camelCase with amounts as strings."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    def payload(self) -> dict[str, Any]:
        """The JSON form; the same record always gives the same dict. Unset parts are left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Address(Record):
    """A postal address; `name` is who receives there."""

    name: Text | None = None
    line1: Text | None = None
    line2: Text | None = None
    city: Text | None = None
    region: Text | None = None
    postal_code: Text | None = None
    country: Text | None = None


R = TypeVar("R", bound=Record)


def parse(kind: type[R], data: object) -> R:
    """The record in `data`, or RecordInvalid naming the first wrong field by its JSON path."""
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise invalid(kind.__name__, error) from None


def invalid(what: str, error: ValidationError, *, within: str = "") -> RecordInvalid:
    """One sentence about the first fault. The offending value stays out of it: it may be personal data.

    `within` is the JSON path of what was validated, where that is a part of something.
    """
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    more = f" ({error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return RecordInvalid(
        f"{what}: {field or 'the record'}: {first['msg']}{more}.", field=f"{within}.{field}".strip(".")
    )
