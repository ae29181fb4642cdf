"""Switches of the twin and settings of its accounts.

Where NetSuite is undocumented, sources disagree or a fact is only remembered, the behaviour is a switch here; the default
is what the reference calls the likelier one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

DEFAULT_ACCOUNT = "1234567"

FEATURES = ("departments", "classes", "locations", "multicurrency", "multiprice", "receivables", "deposits")


@dataclass(frozen=True)
class TwinConfig:
    """Behaviour of the whole twin."""

    access_token_seconds: int = 3600
    expires_in_as_text: bool = False  # some answers carry "3600" as a string
    audience: Literal["lenient", "strict"] = "lenient"  # lenient: the account's restlets host is accepted too
    lockout: bool = True  # five failed logins lock a user for half an hour
    govern: bool = True
    latency_seconds: float = 0.0  # every call takes so long, and holds its place meanwhile
    retry_after: int = 0  # seconds in a 429's Retry-After; 0: no such header, as documented
    disguise: bool = False  # a call over the limit is answered by a slow 401, as some accounts do
    disguise_seconds: float = 60.0
    result_cap: int = 100_000
    page_cap: int = 1000
    commit_delay_seconds: int = 0  # how much later than its lastModifiedDate a change can be read
    commit_delay_for: Literal["people", "everyone"] = "people"  # an API client's own answer comes after its commit
    idempotency_status: Literal[400, 409] = 400  # of a key that was used before; sources disagree
    unknown_fields: Literal["warning", "error", "ignore"] = "warning"
    crashing_columns: tuple[str, ...] = ()  # `table.column` that SuiteQL answers with 500 UNEXPECTED_ERROR
    governance_for: Literal["administrator", "everyone"] = "administrator"


@dataclass(frozen=True)
class AccountSettings:
    """What an account is set to."""

    name: str = "Harbor Foods Inc (twin)"
    one_world: bool = True
    suite_tax: bool = True
    features: tuple[str, ...] = FEATURES
    zone: str = "America/Los_Angeles"  # of date-only bounds, of "today" and of SuiteQL's date-times
    date_format: str = "MM/DD/YYYY"
    raw_times: bool = False  # whether a raw date-time column of SuiteQL shows its time
    language: str = "en"
    currency: str = "USD"
    concurrency_limit: int = 5
    integration_limit: int = 0  # so many of those places are kept for the integration that calls; 0: none
    auto_numbering: bool = False  # of entities; then entityId is ignored unless autoName is false
    tran_id_override: bool = True  # whether a document number that is sent is kept
    price_level_overrides_rate: bool = True  # a sent rate gives way to the price level's unless price is -1
    default_order_status: str = "B"
    fulfillment: bool = False  # only what was fulfilled can be billed
    tax_rate_percent: Decimal = Decimal(8)  # SuiteTax's own result where nobody overrides it
    locked_periods: tuple[str, ...] = ()  # months, as YYYY-MM
    credit_totals_negative: bool = True  # in SuiteQL's transaction.foreigntotal
    custom_fields: tuple[str, ...] = ()  # ids in lower case, such as custbody_shop_order
    unfilterable: tuple[str, ...] = ()  # `type.field` that `q` does not know though the record has it
    mandatory: dict[str, list[str]] = field(default_factory=dict)
    """Fields without which a create is refused, by record type or `type/form id`; they replace the usual ones."""
