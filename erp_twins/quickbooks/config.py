"""Switches of the twin and settings of its companies.

Where the real service is undocumented or sources disagree, the behaviour is a switch here; the default is what the
reference calls the likelier one.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Rotation = Literal["daily", "every_refresh", "race_kills_grant"]
TaxEngine = Literal["us_ast", "us_manual", "us_none", "non_us"]

DEFAULT_REALM = "9130350000000001"


@dataclass(frozen=True)
class TwinConfig:
    """Behaviour of the whole twin."""

    consent: Literal["page", "auto"] = "page"
    rotation: Rotation = "daily"
    access_token_seconds: int = 3600
    refresh_token_days: int = 100
    reconnect_supersedes: bool = True
    strict_accept: bool = True
    honour_requestid: bool = True
    requestid_ttl_seconds: int | None = None
    store_failed_requestids: bool = False
    remember_lost_answers: bool = True
    throttle: bool = True
    throttle_scale: Decimal = Decimal(1)
    throttle_body: Literal["xml", "json"] = "xml"
    cdc_cap: int = 1000
    cdc_cap_per: Literal["response", "entity"] = "response"
    webhook_url: str = ""
    webhook_verifier_token: str = "twin-verifier-token"
    webhook_format: Literal["cloudevents", "legacy"] = "cloudevents"
    webhook_cloud_type: bool = False
    webhook_echo: bool = True
    webhook_window_ms: int = 100
    webhook_delay_ms: int = 0
    webhook_copies: int = 1
    webhook_shuffle: bool = False
    webhook_mixed_realms: bool = False
    webhook_loss: Decimal = Decimal(0)
    webhook_hold: bool = False
    webhook_soft_delete: Literal["Update", "Delete"] = "Update"


@dataclass(frozen=True)
class CompanySettings:
    """What a company file is set to; Preferences and CompanyInfo are answered from here."""

    name: str = "Harbor Foods Ltd (twin)"
    country: str = "US"
    currency: str = "USD"
    time_zone: str = "America/Los_Angeles"
    tax_engine: TaxEngine = "us_ast"
    ast_rate_percent: Decimal = Decimal(8)
    tax_delta: Decimal = Decimal(0)
    # Whether TotalTax and tax lines of the client override the engine. Automated tax did not always let them.
    honour_tax_override: bool = True
    # Recalled: outside the US a discount line always comes off before the tax; there is no ApplyTaxAfterDiscount.
    discount_lowers_tax_abroad: bool = True
    custom_txn_numbers: bool = True
    warn_duplicate_numbers: bool = False
    allow_shipping: bool = True
    allow_discount: bool = True
    allow_deposit: bool = True
    multicurrency: bool = False
    book_close_date: str = ""
    book_close_password: bool = False
    subscription_active: bool = True
    email: str = "books@harbor-foods.example.com"
