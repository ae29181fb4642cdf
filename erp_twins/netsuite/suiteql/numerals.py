"""Oracle's format models of numbers: TO_CHAR and TO_NUMBER."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache

from erp_twins.netsuite.suiteql.model import unsupported
from erp_twins.netsuite.suiteql.values import EXACT, shown

_MODEL = re.compile(
    r"(?P<fill>FM)?(?P<lead>S)?(?P<money>\$)?(?P<whole>[09,G]*)(?P<point>[.D][09]*)?(?P<end>MI|PR|S)?", re.IGNORECASE
)
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(E[+-]?\d+)?\s*", re.IGNORECASE)


def written(number: Decimal) -> str:
    """A number made a text without a model: Oracle writes no zero before the point."""
    return re.sub(r"^(-?)0\.", r"\1.", shown(number))


@lru_cache(maxsize=1 << 12)
def to_number(text: str) -> Decimal:
    """The number that a text writes out; any other text is refused, as Oracle refuses it."""
    if _NUMBER.fullmatch(text) is None:
        raise unsupported()
    try:
        return EXACT.create_decimal(text.strip())
    except InvalidOperation as error:  # an exponent beyond all bounds
        raise unsupported() from error


@lru_cache(maxsize=1 << 12)
def to_char(number: Decimal, model: str) -> str:
    """The number in the model's places; one that is too large for them becomes hash signs."""
    parts = _MODEL.fullmatch(model)
    if parts is None or not (parts["whole"] or parts["point"]) or (parts["lead"] and parts["end"]):
        raise unsupported()
    rounded = number.quantize(Decimal(1).scaleb(-_places(parts)), ROUND_HALF_UP, EXACT)
    whole, _, fraction = f"{rounded.copy_abs():f}".partition(".")
    grouped = _grouped("" if whole == "0" and parts["point"] else whole, parts["whole"])
    if grouped is None:
        return "#" * (len(model) + 1)
    body = (parts["money"] or "") + grouped + _fraction(fraction, parts)
    return _signed(body, rounded < 0, parts)


def _places(parts: re.Match[str]) -> int:
    return max(len(parts["point"] or "") - 1, 0)


def _grouped(digits: str, mask: str) -> str | None:
    """The digits in the places of the mask, zeros from its first 0 on; None when they are too many."""
    places = re.sub("[,G]", "", mask, flags=re.IGNORECASE)
    if len(digits) > len(places):
        return None
    least = len(places) - places.index("0") if "0" in places else 0
    left = list(digits.zfill(least) if least else digits)
    made: list[str] = []
    for place in reversed(mask):
        if place in "09":
            if not left:
                break
            made.append(left.pop())
        elif left:
            made.append(",")
    return "".join(reversed(made))


def _fraction(fraction: str, parts: re.Match[str]) -> str:
    """After the point: with FM the zeros that only a 9 stands for are left out."""
    if not parts["point"]:
        return ""
    if parts["fill"]:
        kept = max(parts["point"].rfind("0"), 0)
        fraction = fraction[:kept] + fraction[kept:].rstrip("0")
    return "." + fraction


def _signed(body: str, negative: bool, parts: re.Match[str]) -> str:
    end = (parts["end"] or "").upper()
    if end == "PR":
        body = f"<{body}>" if negative else f" {body} "
    elif end:
        body += "-" if negative else {"S": "+", "MI": " "}[end]
    elif parts["lead"]:
        body = ("-" if negative else "+") + body
    else:
        body = ("-" if negative else " ") + body
    return body.strip() if parts["fill"] else body.rjust(_width(parts))


def _width(parts: re.Match[str]) -> int:
    """How wide every number of the model is: a sign's place is part of it."""
    signs = 2 if (parts["end"] or "").upper() == "PR" else 1
    return len(parts["whole"]) + len(parts["point"] or "") + len(parts["money"] or "") + signs
