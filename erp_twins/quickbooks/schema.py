"""The description of one entity type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_COMMON = frozenset({"Id", "SyncToken", "MetaData", "domain", "sparse", "CustomField", "AttachableRef", "status"})
_META = frozenset({"Id", "MetaData.CreateTime", "MetaData.LastUpdatedTime"})


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


@dataclass(frozen=True)
class Schema:
    """One entity type."""

    name: str
    writable: frozenset[str]
    readonly: frozenset[str] = frozenset()
    required: tuple[str, ...] = ()
    lengths: Mapping[str, int] = field(default_factory=dict)
    references: Mapping[str, str] = field(default_factory=dict)
    enums: Mapping[str, frozenset[str]] = field(default_factory=dict)
    filters: frozenset[str] = frozenset()
    soft_delete: bool = False
    hard_delete: bool = False
    voidable: bool = False
    events: frozenset[str] = frozenset()
    changes_reported: bool = True
    counter: str = ""

    @property
    def path(self) -> str:
        return self.name.lower()

    @property
    def known(self) -> frozenset[str]:
        return self.writable | self.readonly | _COMMON

    @property
    def queryable(self) -> frozenset[str]:
        return self.filters | _META | (frozenset({"Active"}) if self.soft_delete else frozenset())


_LINE = words("Id LineNum Description Amount DetailType LinkedTxn CustomField Received LineEx TaxInclusiveAmt")
_DETAILS = words(
    "SalesItemLineDetail DiscountLineDetail SubTotalLineDetail SubtotalLineDetail GroupLineDetail DescriptionLineDetail TaxLineDetail"
)
LINE_PROPERTIES = _LINE | _DETAILS
DETAIL_PROPERTIES: dict[str, frozenset[str]] = {
    "SalesItemLineDetail": words(
        "ItemRef Qty UnitPrice TaxCodeRef ClassRef ServiceDate DiscountAmt DiscountRate TaxInclusiveAmt ItemAccountRef MarkupInfo RatePercent "
        "PriceLevelRef TaxClassificationRef DeferredRevenue UOMSetRef"
    ),
    "DiscountLineDetail": words(
        "PercentBased DiscountPercent DiscountAccountRef ClassRef TaxCodeRef Discount DiscountRef ServiceDate"
    ),
}
