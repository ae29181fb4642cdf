"""QuickBooks' refusals: their three shapes, and what each code means for us.

Shapes: `Fault` of the business layer (also inside HTTP 200), lower-case `fault` of the gateway, and XML. The codes
and what to do about each stand in `catalogue.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any

from erp_pipelines.connectors.catalogue import catalogue
from erp_pipelines.connectors.http import Answer, Call
from erp_pipelines.connectors.refusals import LONGEST_TEXT, refused
from erp_pipelines.domain.catalogue import Rule
from erp_pipelines.domain.errors import ErpError

CATALOGUE = catalogue("quickbooks")
RULES = CATALOGUE.rules(CATALOGUE.faults)
THROTTLE_MARKS = ("errorCode=003001", "ThrottleExceeded")
_CANDIDATE = re.compile(r"\b(?:TxnId|Id)\s*=\s*(\d+)")
_XML_FAULT = re.compile(r"<Fault\b.*?</Fault>", re.DOTALL)
_XML_ERROR = re.compile(r"<Error\b([^>]*)>(.*?)</Error>", re.DOTALL)


@dataclass(frozen=True)
class Fault:
    """One error of a refusal, in QuickBooks' words."""

    code: str
    message: str
    detail: str
    element: str = ""

    @property
    def text(self) -> str:
        """Message and detail, each once, for a person."""
        parts = [part.strip() for part in (self.message, self.detail) if part.strip()]
        words = parts[-1] if len(parts) > 1 and parts[1].startswith(parts[0]) else ": ".join(dict.fromkeys(parts))
        return f"{words} [{self.element}]" if self.element else words


def refusal(call: Call, answer: Answer) -> ErpError | None:
    """The error that an answer holds, None when it holds none.

    A code that the catalogue lacks refuses the record in QuickBooks'
    own words, but settles no doubt: it may say that an earlier try was done.
    """
    found = faults_of(answer)
    if not found:
        return None
    fault = _weightiest(found)
    text = "QuickBooks: " + " ".join(one.text for one in found)[:LONGEST_TEXT]
    candidate = _CANDIDATE.search(fault.detail)
    return refused(rule_of(fault.code), text, call, answer, candidate=candidate.group(1) if candidate else "")


def rule_of(code: str) -> Rule:
    return RULES.get(code) or CATALOGUE.unknown_rule(code)


def faults_of(answer: Answer) -> tuple[Fault, ...]:
    """Every error of an answer, in its order; empty for one that is no refusal."""
    if isinstance(answer.body, Mapping):
        return tuple(_json_faults(answer.body))
    return tuple(_xml_faults(answer.text)) if answer.status >= 400 or "<Fault" in answer.text[:2000] else ()


def _json_faults(body: Mapping[str, Any]) -> Iterable[Fault]:
    fault = body.get("Fault") or body.get("fault")
    if not isinstance(fault, Mapping):
        return
    errors = fault.get("Error") or fault.get("error") or [{}]
    for error in errors if isinstance(errors, list) else [errors]:
        lower = {str(key).lower(): str(value) for key, value in error.items() if value is not None}
        yield _fault(lower.get("code", ""), lower.get("message", ""), lower.get("detail", ""), lower.get("element", ""))


def _xml_faults(text: str) -> Iterable[Fault]:
    """By pattern, not by parser: entity tricks of a foreign document find nothing to work on."""
    within = _XML_FAULT.search(text)
    for attributes, inner in _XML_ERROR.findall(within.group()) if within else ():
        yield _fault(
            _first(r'code="([^"]*)"', attributes),
            _first(r"<Message>(.*?)</Message>", inner),
            _first(r"<Detail>(.*?)</Detail>", inner),
            _first(r'element="([^"]*)"', attributes),
        )


def _fault(code: str, message: str, detail: str, element: str) -> Fault:
    return Fault(code.strip().lstrip("0") or code.strip(), message, detail, element)


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.DOTALL)
    return unescape(found.group(1)) if found else ""


def _weightiest(found: tuple[Fault, ...]) -> Fault:
    """The error that decides: one about the connection or the provider before one about the record."""
    return min(found, key=lambda fault: rule_of(fault.code).treatment.weight)
