"""The error codes of QuickBooks, what becomes of each, whose job it is, and what that person can do.

Meanings after Intuit's error table; 3001 and 3100 are the gateway's. `owner`: `bookkeeper` works in QuickBooks,
`admin` in the integration settings, `shop` in the shop's data, `intuit` runs the service, `us` this program.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

Owner = Literal["bookkeeper", "admin", "shop", "intuit", "us"]


class Treat(IntEnum):
    """What becomes of a call, weightiest first: where a refusal has several errors, the lowest number decides."""

    THROTTLED = 1
    TOKEN = 2
    RECONNECT = 3
    LATER = 4  # nothing was done, a repeat may help
    LOST = 5  # a write may have been done
    STALE = 6
    REJECTED = 7
    TAKEN = 8


@dataclass(frozen=True)
class Rule:
    treat: Treat
    cause: str
    owner: Owner
    mend: str


_REPORT = "This is a fault of the integration: report it with the request id."
_FIX = "Correct the record in the shop and save it again."
_WRONG_APP = (
    "This app is not authorised for the company: reconnect it, and check that development keys meet a sandbox "
    "company and production keys a real one."
)
_BOOKS = "Clear it up in QuickBooks, then retry."

# One line per group: treatment, cause, owner, codes, mend.
_GROUPS: tuple[tuple[Treat, str, Owner, str, str], ...] = (
    (Treat.THROTTLED, "throttled", "intuit", "3001", "Wait: the integration goes on by itself."),
    (Treat.TOKEN, "token", "admin", "100 110 3200 3202", "Reconnect QuickBooks in the integration settings."),
    (
        Treat.RECONNECT,
        "authorization",
        "admin",
        "120",
        "The user who connected QuickBooks has lost access to the company: let a company admin reconnect it.",
    ),
    (
        Treat.RECONNECT,
        "wrong-app",
        "admin",
        "3100",
        _WRONG_APP,
    ),
    (
        Treat.RECONNECT,
        "subscription",
        "bookkeeper",
        "6190",
        "The QuickBooks subscription has ended or has a billing problem: renew it in QuickBooks, then reconnect.",
    ),
    (
        Treat.RECONNECT,
        "company-reset",
        "admin",
        "10200",
        "The company's books were reset, so no known id is valid: reconnect QuickBooks and synchronise everything anew.",
    ),
    (
        Treat.LATER,
        "company-busy",
        "intuit",
        "130 140 150",
        "The company is locked or under maintenance: it is tried again.",
    ),
    (
        Treat.LATER,
        "operation-failed",
        "intuit",
        "1000 1010 1020",
        "QuickBooks could not do it just now: it is tried again.",
    ),
    (Treat.LOST, "duplicate-request", "us", "600", "The request was received before: its result is looked up."),
    (
        Treat.LOST,
        "application-error",
        "intuit",
        "10000",
        "QuickBooks failed within: give Intuit's support the request id.",
    ),
    (
        Treat.STALE,
        "stale-version",
        "bookkeeper",
        "5010",
        "Somebody edits the document in QuickBooks: it is tried again.",
    ),
    (Treat.TAKEN, "name-taken", "bookkeeper", "630 6240", "Rename one of the two, or join them in QuickBooks."),
    (Treat.TAKEN, "name-taken", "bookkeeper", "6140", "Give one of the two documents another number."),
    (
        Treat.REJECTED,
        "not-found",
        "bookkeeper",
        "610",
        "Something this refers to was deleted or made inactive in QuickBooks: make it active again, then retry.",
    ),
    (
        Treat.REJECTED,
        "reference",
        "bookkeeper",
        "2500 6250",
        "A customer, product or account it refers to is gone or inactive in QuickBooks: restore it, or synchronise it anew.",
    ),
    (
        Treat.REJECTED,
        "link",
        "bookkeeper",
        "620 700 800 900",
        "See what the documents are linked to in QuickBooks; " + _BOOKS,
    ),
    (Treat.REJECTED, "bug", "us", "500 1040 1050 2000 2010 2030 2130 2600 3000 4000 4001 4002 5000 10100", _REPORT),
    (Treat.REJECTED, "missing-value", "shop", "2020 2250 6010 6080 6090 6420 6520", "A value is missing. " + _FIX),
    (
        Treat.REJECTED,
        "value",
        "shop",
        "2040 2050 2060 2070 2080 2090 2100 2110 2120 2140 2150 2160 2170 2180 2190 2200 2210 2230 2240 2290",
        "A value has a form that QuickBooks does not take. " + _FIX,
    ),
    (
        Treat.REJECTED,
        "currency",
        "bookkeeper",
        "2220",
        "Switch the currency on in QuickBooks, or correct it in the shop.",
    ),
    (Treat.REJECTED, "posting", "us", "2260 2270 2280 2300 6070 6430 6440", _REPORT),
    (
        Treat.REJECTED,
        "tax",
        "bookkeeper",
        "6100 6160 6170 6230 6470",
        "Check the sales tax settings of the company in QuickBooks and the tax codes in the integration settings.",
    ),
    (
        Treat.REJECTED,
        "permission",
        "admin",
        "5020",
        "The user who connected QuickBooks may not do this: let a company admin reconnect it.",
    ),
    (
        Treat.REJECTED,
        "feature-off",
        "bookkeeper",
        "5030",
        "Switch the feature on in QuickBooks, or choose a plan that has it.",
    ),
    (
        Treat.REJECTED,
        "closed-period",
        "bookkeeper",
        "6200 6210",
        "The books are closed for this date: reopen the period in QuickBooks, or change the date.",
    ),
    (Treat.REJECTED, "business-rule", "bookkeeper", "6000", "QuickBooks says what is wrong; " + _BOOKS),
    (Treat.REJECTED, "name-levels", "bookkeeper", "6130 6150 6180", _BOOKS),
    (Treat.REJECTED, "open-balance", "bookkeeper", "6220 6280", "Settle what is open in QuickBooks, then retry."),
    (
        Treat.REJECTED,
        "inventory-date",
        "bookkeeper",
        "6270",
        "Set the item's inventory start date before the order's date.",
    ),
    (
        Treat.REJECTED,
        "locked",
        "bookkeeper",
        "6450 6460 6480 6540",
        "The transaction is deposited, settled or matched: undo that in QuickBooks, then retry.",
    ),
    (Treat.REJECTED, "attachment", "us", "6030 6040 6041 6050", _REPORT),
    (
        Treat.REJECTED,
        "time-activity",
        "bookkeeper",
        "6290 6300 6310 6320 6330 6340 6350 6360 6370 6380 6390 6400",
        _BOOKS,
    ),
)

RULES: dict[str, Rule] = {
    code: Rule(treat, cause, owner, mend) for treat, cause, owner, codes, mend in _GROUPS for code in codes.split()
}
UNKNOWN = Rule(Treat.REJECTED, "unknown", "bookkeeper", "QuickBooks says what is wrong; " + _BOOKS)
