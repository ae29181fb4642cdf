"""A settings model's JSON schema as the fields of a form. What no form field can hold is left to the JSON editor."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

OWN = "providerSettings"
WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
Schema = Mapping[str, Any]


class Kind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    SWITCH = "switch"
    WORD = "word"  # one of the few in `words`
    TABLE = "table"  # a value for each of some names


@dataclass(frozen=True)
class Setting:
    """One field. `path` is the setting's JSON path; `optional` ones may be left empty."""

    path: str
    label: str
    kind: Kind = Kind.TEXT
    hint: str = ""
    words: tuple[str, ...] = ()
    optional: bool = True


def own_settings(model: type[BaseModel] | None) -> tuple[Setting, ...]:
    """The fields of a provider's own settings, in the model's order; none without a model."""
    if model is None:
        return ()
    schema = model.model_json_schema(by_alias=True)
    return tuple(_fields(schema, schema.get("$defs", {}), OWN))


def unshown(model: type[BaseModel] | None) -> tuple[str, ...]:
    """The names of settings that only the JSON editor can change."""
    if model is None:
        return ()
    shown = {setting.path.split(".")[1] for setting in own_settings(model)}
    return tuple(name for name in model.model_json_schema(by_alias=True)["properties"] if name not in shown)


def label_of(name: str) -> str:
    """The name of a setting as people read it: `refundAccountId` is Refund account."""
    return in_words(re.sub(r"(?<=[a-z])Ids?$", "", name))


def in_words(name: str) -> str:
    """A camelCase name in words: `creditMemo` is Credit memo."""
    text = " ".join(word if word.isupper() else word.lower() for word in WORDS.findall(name))
    return text[:1].upper() + text[1:]


def _fields(schema: Schema, parts: Mapping[str, Schema], within: str, before: str = "") -> Iterator[Setting]:
    for name, found in schema["properties"].items():
        path, label = f"{within}.{name}", f"{before}{label_of(name)}"
        if "$ref" in found:
            yield from _fields(parts[found["$ref"].rpartition("/")[2]], parts, path, f"{label}: ")
            continue
        kind, words = _kind(found)
        if kind is not None:
            optional = any(one.get("type") == "null" for one in found.get("anyOf", ()))
            yield Setting(path, label, kind, found.get("description", ""), words, optional)


def _kind(found: Schema) -> tuple[Kind | None, tuple[str, ...]]:
    """What holds the value, and the words to choose from; None for a value that no field can hold."""
    options = [one for one in found.get("anyOf", [found]) if one.get("type") != "null"]
    types = {one.get("type") for one in options}
    if types == {"string"} and "enum" in options[0]:
        return Kind.WORD, tuple(options[0]["enum"])
    if types == {"object"}:
        values = options[0].get("additionalProperties")
        return (Kind.TABLE if isinstance(values, dict) and values.get("type") == "string" else None), ()
    simple = {"string": Kind.TEXT, "boolean": Kind.SWITCH, "integer": Kind.NUMBER, "number": Kind.NUMBER}
    return (simple[min(types)] if types and types <= {*simple} else None), ()
