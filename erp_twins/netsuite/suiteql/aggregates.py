"""Aggregates that SQLite has no exact counterpart of. They follow its protocol: step, value, inverse, finalize."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from erp_twins.netsuite.suiteql.model import unsupported
from erp_twins.netsuite.suiteql.values import EXACT, key_of, number_of


class Sum:
    """SUM of numbers, exact; NULL when there are none."""

    def __init__(self) -> None:
        self._total, self._count = Decimal(0), 0

    def step(self, key: str | None) -> None:
        if key is not None:
            self._total = EXACT.add(self._total, number_of(key))
            self._count += 1

    def inverse(self, key: str | None) -> None:
        if key is not None:
            self._total = EXACT.subtract(self._total, number_of(key))
            self._count -= 1

    def value(self) -> str | None:
        return key_of(self._total) if self._count else None

    def finalize(self) -> str | None:
        return self.value()


class Average(Sum):
    def value(self) -> str | None:
        return key_of(EXACT.divide(self._total, Decimal(self._count))) if self._count else None


class ListAgg:
    """LISTAGG: texts in the order of a second value, NULLs of which come last, or first when it descends."""

    def __init__(self) -> None:
        self._parts: list[tuple[bool, int | str, str]] = []
        self._separator, self._down = "", False

    def step(self, *given: Any) -> None:
        text, separator, order, down = given
        self._separator, self._down = separator or "", bool(down)
        if text is not None:
            self._parts.append((order is None, "" if order is None else order, text))

    def finalize(self) -> str | None:
        ordered = sorted(self._parts, key=lambda part: part[:2], reverse=self._down)
        return self._separator.join(text for _, _, text in ordered) or None


class Only:
    """The one value of a scalar sub-select; more rows than one are refused, as Oracle refuses them."""

    def __init__(self) -> None:
        self._values: list[int | str | None] = []

    def step(self, value: Any) -> None:
        if self._values:
            raise unsupported()
        self._values.append(value)

    def finalize(self) -> int | str | None:
        return self._values[0] if self._values else None
