"""Settings in a form: what stands in each field, what may be chosen, what was entered, and which one is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from erp_pipelines.connectors.provider import Choice
from erp_pipelines.domain.errors import RecordInvalid
from webhook_api.console.access import Posted
from webhook_api.console.settings_schema import OWN, Kind, Setting, in_words, label_of

Pairs = tuple[tuple[str, str], ...]
Value = str | bool | Pairs
Choices = Mapping[str, Sequence[Choice]]


@dataclass(frozen=True)
class Field:
    """A setting as the page shows it. `choices`: values with their names, where the company has a list of them.

    `error` is what is wrong with what stands in it.
    """

    setting: Setting
    value: Value
    choices: tuple[tuple[str, str], ...] | None
    error: str = ""


def fields(
    settings: Iterable[Setting],
    values: Mapping[str, Value],
    choices: Choices,
    error: RecordInvalid | None = None,
) -> list[Field]:
    """The fields of a page; `values` by path."""
    return [
        Field(one, values[one.path], _choices(one, values[one.path], choices), _error(one, error)) for one in settings
    ]


def stored(settings: Iterable[Setting], saved: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Value]:
    """What stands in the fields of saved settings (camelCase); `defaults` are those of the provider's own."""
    whole = {**saved, OWN: {**defaults, **(saved.get(OWN) or {})}}
    return {one.path: _shown(one, _at(whole, one.path)) for one in settings}


def entered(posted: Posted, settings: Iterable[Setting]) -> dict[str, Value]:
    """What was sent of these settings. A switch that is off is not sent, so its page names it in `switch`."""
    on, switches = posted.texts("on"), posted.texts("switch")
    found: dict[str, Value] = {}
    for one in settings:
        if one.kind is Kind.SWITCH and one.path in switches:
            found[one.path] = one.path in on
        elif one.kind is Kind.TABLE and f"{one.path}.name" in posted.form:
            found[one.path] = _pairs(posted, one.path)
        elif one.path in posted.form:
            found[one.path] = posted.text(one.path)
    return found


def changes(values: Mapping[str, Value]) -> dict[str, Any]:
    """The change of settings that was entered; what is empty is taken away. Raises RecordInvalid naming the field."""
    changed: dict[str, Any] = {}
    for path, value in values.items():
        place, names = changed, path.split(".")
        for name in names[:-1]:
            place = place.setdefault(name, {})
        place[names[-1]] = _table(path, value) if isinstance(value, tuple) else _scalar(value)
    return changed


def _scalar(value: str | bool) -> str | bool | None:
    return value if value != "" else None


def _pairs(posted: Posted, path: str) -> Pairs:
    names, values = posted.texts(f"{path}.name"), posted.texts(f"{path}.value")
    pairs = ((name.strip(), value.strip()) for name, value in zip(names, values, strict=False))
    return tuple(pair for pair in pairs if any(pair))


def _table(path: str, pairs: Pairs) -> dict[str, str]:
    """A row without a value is taken away."""
    kept = [(name, value) for name, value in pairs if value]
    label = label_of(path.rpartition(".")[2])
    if not all(name for name, _ in kept):
        raise RecordInvalid(f"{label}: a row has no name.", field=path, mend="Name it, or empty the row.")
    if len(dict(kept)) < len(kept):
        raise RecordInvalid(f"{label}: two rows have the same name.", field=path, mend="Take one of them away.")
    return dict(kept)


def _at(whole: Mapping[str, Any], path: str) -> Any:
    found: Any = whole
    for name in path.split("."):
        found = (found or {}).get(name)
    return found


def _shown(setting: Setting, value: Any) -> Value:
    if setting.kind is Kind.TABLE:
        return tuple((str(name), str(one)) for name, one in (value or {}).items())
    if setting.kind is Kind.SWITCH:
        return bool(value)
    return "" if value is None else str(value)


def _choices(setting: Setting, value: Value, choices: Choices) -> tuple[tuple[str, str], ...] | None:
    """What stands in the field is always among them, so that saving the page changes nothing else."""
    if setting.kind is Kind.WORD:
        return tuple((word, in_words(word)) for word in setting.words)
    offered = choices.get(setting.path)
    if not offered:
        return None
    known = {one.id: one.name or one.id for one in offered}
    standing = [one for _, one in value] if isinstance(value, tuple) else [str(value)]
    strange = {one: f"{one} (not in the list)" for one in standing if one and one not in known}
    return (*known.items(), *strange.items())


def _error(setting: Setting, error: RecordInvalid | None) -> str:
    """Where one field of several is wrong it is named from the front: `taxCodes.0.2` is about `taxCodes`."""
    path = error.field if error else None
    mine = path is not None and f"{path}.".startswith(f"{setting.path}.")
    return error.message if error and mine else ""
