"""Enumerations: the id that travels and the text that people see."""

from __future__ import annotations

ENUMS: dict[str, dict[str, str]] = {
    "orderStatus": {"A": "Pending Approval", "B": "Pending Fulfillment"},
    "salesOrder": {
        "A": "Pending Approval",
        "B": "Pending Fulfillment",
        "C": "Cancelled",
        "D": "Partially Fulfilled",
        "E": "Pending Billing/Partially Fulfilled",
        "F": "Pending Billing",
        "G": "Billed",
        "H": "Closed",
    },
    "invoice": {"A": "Open", "B": "Paid In Full", "V": "Voided"},
    "creditMemo": {"A": "Open", "B": "Fully Applied", "V": "Voided"},
    "customerPayment": {
        "A": "Unapproved Payment",
        "B": "Not Deposited",
        "C": "Deposited",
        "R": "Declined",
        "V": "Voided",
    },
    "customerDeposit": {"A": "Not Deposited", "B": "Deposited", "C": "Fully Applied", "V": "Voided"},
    "emailPreference": {"DEFAULT": "Default", "HTML": "HTML", "PDF": "PDF"},
    "language": {"en_US": "English (U.S.)", "en_GB": "English (UK)", "de_DE": "German", "it_IT": "Italian"},
    "costingMethod": {name: name for name in ("AVG", "FIFO", "LIFO", "STANDARD", "SERIAL", "LOT", "GROUPAVG")},
    "itemType": {
        "InvtPart": "Inventory Item",
        "NonInvtPart": "Non-inventory Item",
        "Service": "Service",
        "OthCharge": "Other Charge",
        "Discount": "Discount",
    },
    "subtype": {"Sale": "For Sale"},
}
"""`country` is missing: any ISO alpha-2 code stands for itself."""


def shown(name: str, ident: str) -> str:
    return ENUMS.get(name, {}).get(ident, ident)


def ident_of(name: str, value: str) -> str | None:
    """The id that an id or a text means, without regard to case; None for neither."""
    if name == "country":
        return value.upper() if len(value) == 2 and value.isalpha() else None
    wanted = value.casefold()
    return next((key for key, text in ENUMS[name].items() if wanted in {key.casefold(), text.casefold()}), None)
