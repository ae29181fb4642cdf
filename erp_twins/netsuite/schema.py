"""The description of one record type: its fields, sublists and place in the account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Kind = Literal[
    "text", "integer", "number", "boolean", "date", "datetime", "rate", "ref", "enum", "refs", "subrecord", "sublist"
]
"""`rate` is an amount or a percentage such as "-10.0%"; `refs` a collection of references."""
Group = Literal["entity", "item", "transaction", "list"]


@dataclass(frozen=True)
class Field:
    """`target`: the record type of a reference, the enumeration's name, or the sublist's. Read-only ones are dropped on input."""

    name: str
    kind: Kind = "text"
    target: str = ""
    readonly: bool = False
    feature: str = ""

    @property
    def label(self) -> str:
        """The name as a form shows it: `taxSchedule` is "Tax Schedule"."""
        words = "".join(f" {char}" if char.isupper() else char for char in self.name)
        return words[:1].upper() + words[1:]


@dataclass(frozen=True)
class Sublist:
    """Lines of a record. `keys`: the fields that say which line is meant; without any, lines are always added."""

    name: str
    fields: Mapping[str, Field]
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class RecordType:
    """`code` is SuiteQL's type, `number` the type's id in `deletedrecord`, `permission` what a role needs."""

    name: str
    group: Group
    title: str
    fields: Mapping[str, Field]
    sublists: Mapping[str, Sublist] = field(default_factory=dict)
    code: str = ""
    number: int = 0
    permission: str = ""
    prefix: str = ""
    transforms: frozenset[str] = frozenset()
    writable: bool = True
    posting: bool = False

    @property
    def segment(self) -> str:
        """The name as SuiteQL's `recordtype` and URLs in lower case have it."""
        return self.name.lower()

    @cached_property
    def by_lower(self) -> dict[str, Field]:
        return {name.lower(): one for name, one in self.fields.items()}


def fields(
    text: str = "",
    *,
    integer: str = "",
    number: str = "",
    boolean: str = "",
    date: str = "",
    datetime: str = "",
    subrecord: str = "",
    ref: Mapping[str, str] | None = None,
    refs: Mapping[str, str] | None = None,
    enum: Mapping[str, str] | None = None,
    sublists: str = "",
) -> dict[str, Field]:
    """Fields by kind; a name that ends in `!` is read-only, one with `@feature` exists only where that is on."""
    plain: dict[Kind, str] = {
        "text": text, "integer": integer, "number": number, "boolean": boolean, "date": date, "datetime": datetime,
        "subrecord": subrecord, "sublist": sublists,
    }  # fmt: skip
    made = [_field(word, kind) for kind, names in plain.items() for word in names.split()]
    targeted: dict[Kind, Mapping[str, str]] = {"ref": ref or {}, "refs": refs or {}, "enum": enum or {}}
    made += [_field(word, kind, target) for kind, pairs in targeted.items() for word, target in pairs.items()]
    return {one.name: one for one in made}


def _field(word: str, kind: Kind, target: str = "") -> Field:
    word, _, feature = word.partition("@")
    return Field(word.rstrip("!"), kind, target, word.endswith("!"), feature)
