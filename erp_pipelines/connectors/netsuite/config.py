"""The hosts, and a switch for each habit of NetSuite that its documentation leaves open or that was only recalled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from erp_pipelines.connectors.leaving import certain_after
from erp_pipelines.connectors.netsuite.accounts import Account

DISPLAY_NAME = "NetSuite"
API_URL = "https://{host}.suitetalk.api.netsuite.com"
APP_URL = "https://{host}.app.netsuite.com"
# Where a person opens a record; recalled.
PAGES = {
    "salesOrder": "accounting/transactions/salesord.nl?id=",
    "invoice": "accounting/transactions/custinvc.nl?id=",
    "customerPayment": "accounting/transactions/custpymt.nl?id=",
    "creditMemo": "accounting/transactions/custcred.nl?id=",
    "customerDeposit": "accounting/transactions/custdep.nl?id=",
    "customer": "common/entity/custjob.nl?id=",
    "inventoryItem": "common/item/item.nl?id=",
    "nonInventorySaleItem": "common/item/item.nl?id=",
    "serviceSaleItem": "common/item/item.nl?id=",
}


@dataclass(frozen=True)
class NetSuiteConfig:
    """The addresses (empty: the account's own at NetSuite), and the switches. There are no keys of ours: tenants bring theirs.

    `url` is what stands before `/services/rest/...`, `app_url` where people open records.
    """

    url: str = ""
    app_url: str = ""

    # The audience of a client assertion: the token endpoint at NetSuite (False: as it is called, through `url`).
    audience_is_netsuites: bool = True
    assertion_seconds: int = 3600
    # A write is waited for this long; NetSuite itself works on one for up to 15 minutes.
    write_seconds: float = 130
    doubt_seconds: float = certain_after(900)
    # An external id is unique, so a repeated upsert makes nothing new. False: don't rely on it, never repeat a write.
    upsert_is_repeatable: bool = True
    # NetSuite matches external ids without regard to case.
    external_id_length: int = 255
    # A refused call is repeated after this pause; short, since only calls at once are limited, not their number.
    pause_seconds: float = 2
    patience: int = 4
    # Calls under way at first, and at most where nothing else is known: an account allows five, others want some.
    start_in_flight: int = 4
    most_in_flight: int = 4
    # A refused login after this long may be an account that is overloaded.
    slow_refusal_seconds: float = 10
    # SuiteQL shows moments without a zone; this one where nothing else is known of the account.
    zone: str = "America/Los_Angeles"
    # The second under way is left to the next pull; what was stamped up to `late_commit_seconds` before its commit is read again.
    safety_lag_seconds: float = 5
    late_commit_seconds: float = 900
    item_type_column: str = "itemtype"
    # A line's own rate counts only at the custom price level.
    custom_price_level: str = "-1"
    rate_decimals: int = 8
    # A discount is a negative rate on the order.
    discount_is_negative: bool = True
    # Amounts of tax can be given on lines where the account has no SuiteTax.
    legacy_tax_amounts: bool = True
    name_length: int = 83
    item_name_length: int = 60
    memo_length: int = 999
    description_length: int = 999
    email_length: int = 254
    phone_length: int = 32
    po_length: int = 45
    address_line_length: int = 150
    pages: Mapping[str, str] = field(default_factory=lambda: PAGES)

    def base_url(self, account: Account) -> str:
        """What stands before `/services/rest`: the account's own host, unless it is overridden."""
        return self.url.rstrip("/") or API_URL.format(host=account.host)

    def audience(self, account: Account) -> str:
        host = API_URL.format(host=account.host) if self.audience_is_netsuites else self.base_url(account)
        return f"{host}{TOKEN_PATH}"

    def page(self, account: Account, record_type: str) -> str | None:
        """Where a person opens a record of this type; its id is to follow."""
        path = self.pages.get(record_type)
        return f"{self.app_url.rstrip('/') or APP_URL.format(host=account.host)}/app/{path}" if path else None


TOKEN_PATH = "/services/rest/auth/oauth2/v1/token"  # noqa: S105 - an address
