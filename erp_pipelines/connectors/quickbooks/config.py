"""The Intuit app, the hosts, and a switch for each habit of QuickBooks that its documentation leaves open."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from erp_pipelines.connectors.leaving import certain_after

DISPLAY_NAME = "QuickBooks"
Environment = Literal["sandbox", "production"]

API_URLS = {
    "sandbox": "https://sandbox-quickbooks.api.intuit.com",
    "production": "https://quickbooks.api.intuit.com",
}
APP_URLS = {"sandbox": "https://app.sandbox.qbo.intuit.com", "production": "https://app.qbo.intuit.com"}
AUTHORIZE_URL = "https://appcenter.intuit.com/connect/oauth2"
TOKEN_URL = "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"  # noqa: S105 - an address
REVOKE_URL = "https://developer.api.intuit.com/v2/oauth2/tokens/revoke"


@dataclass(frozen=True)
class QuickBooksConfig:
    """The app's credentials, the addresses (empty: Intuit's, by environment), and the switches.

    `api_url` is what stands before `/v3/company/...`, `app_url` where people open documents.
    """

    client_id: str
    client_secret: str = field(repr=False)
    verifier_token: str = field(default="", repr=False)
    environment: Environment = "sandbox"
    api_url: str = ""
    app_url: str = ""
    authorize_url: str = AUTHORIZE_URL
    token_url: str = TOKEN_URL
    revoke_url: str = REVOKE_URL

    minor_version: str = "75"
    # QuickBooks answers a repeated requestid with its first answer. False: don't rely on it, never repeat a write.
    honour_requestid: bool = True
    # Records in one call of the batch endpoint, which takes 30 at most; 1: none are batched. With fewer than `batch_least`
    # at hand each goes alone.
    batch_size: int = 30
    batch_least: int = 8
    # How long after its note a document whose answer was lost may still turn up: the server works for up to 120 s.
    doubt_seconds: float = certain_after(120)
    # Tries of a token refresh that nothing was heard of; the same refresh token is good for it.
    refresh_tries: int = 2
    # What QuickBooks writes in front of the note of a voided document; there is no other sign.
    voided_prefix: str = "Voided"
    # A backslash within a query's quotes is doubled.
    escape_backslash: bool = True
    # A payment raises the version of each invoice that it settles.
    payments_raise_versions: bool = True
    # Smaller of the limits that schema and documentation give.
    display_name_length: int = 100
    notes_length: int = 1000
    phone_length: int = 30
    payment_reference_length: int = 21
    # Appended to a customer's name that a vendor or employee holds already.
    name_suffix: str = " (C)"
    # What QuickBooks appends to the name of a record that is made inactive.
    inactive_suffix: str = " (deleted)"
    # DefinitionId of the custom field that takes the purchase order number; without one it goes into the memo.
    po_custom_field: str = ""

    def __post_init__(self) -> None:
        for name, urls in (("api_url", API_URLS), ("app_url", APP_URLS)):
            object.__setattr__(self, name, (getattr(self, name) or urls[self.environment]).rstrip("/"))
