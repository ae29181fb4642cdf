"""JSON with exact numbers: money is read as Decimal and written digit for digit."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

Doc = dict[str, Any]

_MARK = "\ue000#"  # a private-use character: no business text starts with it
_MARKED = re.compile(r'"\\ue000#(-?[0-9.]+)"')


def loads(raw: bytes | str) -> Any:
    """Parse JSON; fractions become Decimal. Raises ValueError for anything else, NaN and bad UTF-8 included."""
    text = raw.decode("utf-8") if isinstance(raw, bytes) else raw
    return json.loads(text, parse_float=Decimal, parse_constant=_no_constant)


def dumps(value: Any) -> str:
    """JSON text in ASCII; a Decimal becomes a number with exactly its own digits."""
    text = json.dumps(value, default=_marked, separators=(",", ":"))
    return _MARKED.sub(r"\1", text)


def _marked(value: object) -> str:
    if isinstance(value, Decimal):
        return _MARK + format(value, "f")
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
