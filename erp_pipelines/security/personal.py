"""Personal data out of stored payloads: by the field it stands in, and by its looks wherever it stands.

What a person needs to find a document again stays: names that an ERP lists its records under, ids, numbers, amounts, and of an
address the country and the state, on which taxes hang.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from erp_pipelines.security.redaction import mask, mask_text

HIDDEN = "[personal]"

# Names as they are compared: lower case, letters and digits only. QuickBooks', NetSuite's and our own.
_NAMES = re.compile(
    r"(primary|billing|shipping|bill|ship|alternate|alt|home|mobile|work|office|remit|cc|bcc)?"
    r"(e?mail(address|addr)?|phone(number)?|telephone|fax|mobile|freeformnumber|address)"
    r"|line\d|(addr|addressline|street)\d?|addr(phone|text)|addressee|attention|city|zip|zipcode|postalcode|lat|long"
    r"|(given|family|middle|first|last)name|(cc|card|account|iban)number|nameoncard|birthdate|ssn|taxidentifier"
)
_EMAIL = re.compile(r"[\w.!#$%&*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+")
_CARD = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])")


def is_personal(name: str) -> bool:
    """Whether a text in a field of this name says who or where a person is."""
    return _NAMES.fullmatch(re.sub(r"[^a-z0-9]", "", name.lower())) is not None


def hide_in_text(text: str) -> str:
    """The text without e-mail addresses and card numbers."""
    return _CARD.sub(lambda found: HIDDEN if _is_card(found[0]) else found[0], _EMAIL.sub(HIDDEN, text))


def hide(value: Any) -> Any:
    """A copy of a JSON-like value without secrets and personal data."""
    return _hide(mask(value))


def hide_all_in_text(text: str) -> str:
    """The text without secrets and what looks like personal data."""
    return hide_in_text(mask_text(text))


def _hide(value: Any) -> Any:
    if isinstance(value, str):
        return hide_in_text(value)
    if isinstance(value, Mapping):
        return {name: _entry(str(name), entry) for name, entry in value.items()}
    return [_hide(entry) for entry in value] if isinstance(value, list) else value


def _entry(name: str, entry: Any) -> Any:
    """A personal name hides a text or number; what is nested below it is judged by its own names."""
    is_leaf = isinstance(entry, (str, int, float)) and not isinstance(entry, bool)
    return HIDDEN if is_leaf and entry != "" and is_personal(name) else _hide(entry)


def _is_card(text: str) -> bool:
    """By the check digit that every card number ends with."""
    digits = [int(one) for one in text if one.isdigit()]
    doubled = [2 * digit - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
