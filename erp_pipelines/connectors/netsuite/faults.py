"""NetSuite's refusals, and what each code means for us.

The code decides, and what the error points at (a path, a parameter, a header). Its text comes in the language of the
account, so a pattern may only tell cases of one code apart; where none fits, the code's own entry of `catalogue.yaml` holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from erp_pipelines.connectors.catalogue import catalogue
from erp_pipelines.connectors.http import Answer, Call
from erp_pipelines.connectors.refusals import LONGEST_TEXT, refused
from erp_pipelines.domain.catalogue import Rule
from erp_pipelines.domain.errors import ErpError

CATALOGUE = catalogue("netsuite")
RULES = CATALOGUE.rules(CATALOGUE.faults)
NO_SUCH_RECORD = "NONEXISTENT_ID"
# Refusals for too many calls at once that come with another status than 429.
THROTTLE_MARKS = (
    "CONCURRENCY_LIMIT_EXCEEDED",
    "SSS_REQUEST_LIMIT_EXCEEDED",
    "WS_CONCUR_SESSION_DISALLWD",
    "WS_REQUEST_BLOCKED",
)
# A code for everything that the form, a script or a rule says: also that an earlier try of ours was done.
SAYS_LITTLE = frozenset({"USER_ERROR"})
_POINTERS = ("o:errorPath", "o:errorQueryParam", "o:errorHeader", "o:errorUrl", "o:urlPath")
# What tells cases of one code apart: what is pointed at, a pattern of the text, and the case.
_CASES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "USER_ERROR": (
        ("", r"already exists|already been used", "duplicate"),
        ("", r"has been changed|record has changed", "changed"),
        ("", r"enter value\(s\) for|missing a value", "missing-value"),
        ("", r"feature is (disabled|not enabled)", "feature-off"),
        ("", r"permission", "permission"),
        ("", r"\bperiod\b.*\b(closed|locked)|\b(closed|locked)\b.*\bperiod", "closed-period"),
        ("", r"locked|workflow", "locked"),
        ("", r"inactive", "inactive"),
        ("", r"subsidiary", "subsidiary"),
    ),
    "INVALID_PARAMETER": (
        ("q", r"Invalid search type|was not found", "table"),
        ("q", r"Unknown identifier|Field '", "column"),
    ),
    "INVALID_CONTENT": ((".+", "", "value"),),
    "INVALID_HEADER": (("Accept-Language", "", "language"),),
}


@dataclass(frozen=True)
class Fault:
    """One error of a refusal, in NetSuite's words. `pointer` is the path, parameter or header that it is about."""

    code: str
    detail: str
    pointer: str = ""

    @property
    def text(self) -> str:
        return f"{self.detail} [{self.pointer}]" if self.pointer else self.detail

    @property
    def rule(self) -> Rule:
        """Of the case, else of the code, else the one for what nobody knows."""
        for pointer, pattern, case in _CASES.get(self.code, ()):
            if re.fullmatch(pointer or ".*", self.pointer) and re.search(pattern, self.detail, re.IGNORECASE):
                return RULES[f"{self.code}/{case}"]
        return RULES.get(self.code) or CATALOGUE.unknown_rule(self.code)


def refusal(call: Call, answer: Answer) -> ErpError | None:
    """The error that an answer holds, None when it holds none; of several, the weightiest decides.

    A code that the catalogue lacks, or that says little, refuses the record in NetSuite's own words, but settles no doubt.
    """
    found = tuple(faults_of(answer)) if answer.status >= 400 else ()
    if not found:
        return None
    fault = min(found, key=lambda one: one.rule.treatment.weight)
    text = "NetSuite: " + " ".join(one.text for one in found)[:LONGEST_TEXT]
    return refused(fault.rule, text, call, answer, certain=fault.rule.code not in SAYS_LITTLE)


def faults_of(answer: Answer) -> Iterator[Fault]:
    """Every error of an answer, in its order. Very old bodies have the only one at their top."""
    body = answer.body if isinstance(answer.body, Mapping) else {}
    details = body.get("o:errorDetails")
    for entry in details if isinstance(details, list) and details else [body]:
        if isinstance(entry, Mapping) and (entry.get("o:errorCode") or body.get("o:errorCode")):
            yield _fault(entry, body)


def _fault(entry: Mapping[str, Any], body: Mapping[str, Any]) -> Fault:
    code = str(entry.get("o:errorCode") or body.get("o:errorCode"))
    pointer = next((str(entry[name]) for name in _POINTERS if entry.get(name)), "")
    return Fault(code, str(entry.get("detail") or body.get("title") or code), pointer)
