"""Personal data out of stored payloads: by the field it stands in, and by its looks wherever it stands.

What a person needs to find a document again stays: names that an ERP lists its records under, ids, numbers, amounts, and of an
address the country and the state, on which taxes hang.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from erp_pipelines.security.redaction import mask, mask_text

HIDDEN = "[personal]"
# A shorter one is too likely a part of something else.
SHORTEST_WORD = 6

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


def personal_words(value: Any) -> frozenset[str]:
    """Texts of a JSON-like value that stand in personal fields; what an ERP may quote in its answer."""
    if isinstance(value, Mapping):
        own = {entry for name, entry in value.items() if isinstance(entry, str) and is_personal(str(name))}
        return frozenset(word for word in own if len(word) >= SHORTEST_WORD).union(*map(personal_words, value.values()))
    return frozenset[str]().union(*map(personal_words, value)) if isinstance(value, list) else frozenset()


def hide_in_text(text: str, words: Collection[str] = ()) -> str:
    """The text without secrets, e-mail addresses, card numbers and these words."""
    for word in sorted(words, key=len, reverse=True):
        text = text.replace(word, HIDDEN)
    return _CARD.sub(lambda found: HIDDEN if _is_card(found[0]) else found[0], _EMAIL.sub(HIDDEN, mask_text(text)))


def hide(value: Any, words: Collection[str] = ()) -> Any:
    """A copy of a JSON-like value without secrets and personal data."""
    return _hide(mask(value), words)


def _hide(value: Any, words: Collection[str]) -> Any:
    if isinstance(value, str):
        return hide_in_text(value, words)
    if isinstance(value, Mapping):
        return {name: _entry(str(name), entry, words) for name, entry in value.items()}
    return [_hide(entry, words) for entry in value] if isinstance(value, list) else value


def _entry(name: str, entry: Any, words: Collection[str]) -> Any:
    """A personal name hides a text or number; what is nested below it is judged by its own names."""
    is_leaf = isinstance(entry, (str, int, float)) and not isinstance(entry, bool)
    return HIDDEN if is_leaf and entry != "" and is_personal(name) else _hide(entry, words)


def _is_card(text: str) -> bool:
    """By the check digit that every card number ends with."""
    digits = [int(one) for one in text if one.isdigit()]
    doubled = [2 * digit - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
