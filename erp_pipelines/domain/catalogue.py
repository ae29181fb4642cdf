"""Whose job each error is, and what that person can do: data with a version, checked when it is read.

Two kinds of file: `causes.yaml` beside this module names the product's own causes, and each provider brings one that
classifies the fault codes of its ERP (see `connectors.catalogue`). Adding to them needs no change of code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

UNKNOWN = "unknown"
Version = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Text = Annotated[str, Field(min_length=1)]


class Owner(StrEnum):
    """Who can end it: in the ERP's books, the integration's settings, the shop's data, the ERP's own service, here."""

    BOOKKEEPER = "bookkeeper"
    ADMIN = "admin"
    SHOP = "shop"
    PROVIDER = "provider"
    US = "us"


class Treatment(StrEnum):
    """What becomes of a call, weightiest first: where a refusal has several errors, the first of these decides."""

    THROTTLED = "throttled"
    TOKEN = "token"  # noqa: S105 - a word
    RECONNECT = "reconnect"
    LATER = "later"  # nothing was done, a repeat may help
    LOST = "lost"  # a write may have been done
    STALE = "stale"
    REJECTED = "rejected"
    TAKEN = "taken"
    MISCONFIGURED = "misconfigured"  # of a renewal: this installation's keys
    CONSENT = "consent"

    @property
    def weight(self) -> int:
        return list(Treatment).index(self)

    @property
    def retriable(self) -> bool:
        """Whether a repeat may help without anybody changing anything."""
        return self in _RETRIABLE


_RETRIABLE = frozenset({Treatment.THROTTLED, Treatment.TOKEN, Treatment.LATER, Treatment.LOST, Treatment.STALE})


class Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Cause(Data):
    """One of the product's own causes. `retriable`: a repeat may help, or comes by itself."""

    cause: Text
    title: Text
    owner: Owner
    retriable: bool = False
    mend: Text


class Causes(Data):
    """The product's own causes, each once."""

    version: Version
    causes: tuple[Cause, ...]

    @model_validator(mode="after")
    def _once(self) -> Causes:
        _no_doubles(entry.cause for entry in self.causes)
        return self


class Rule(Data):
    """What a provider's code means for us; `version` is that of its catalogue."""

    code: str
    cause: str
    title: str
    meaning: str
    owner: Owner
    treatment: Treatment
    mend: str
    source: str
    version: str

    @property
    def retriable(self) -> bool:
        return self.treatment.retriable


class Entry(Data):
    """Codes with one cause; `source` names one of the file's sources."""

    cause: Text
    title: Text
    owner: Owner
    treatment: Treatment
    source: Text
    mend: Text
    codes: Mapping[str, Text] = {}


class FaultCatalogue(Data):
    """A provider's file. A code has one place in each part: answers to calls, to renewals, and to consents."""

    version: Version
    provider: Text
    sources: Mapping[str, Text]
    unknown: Entry
    faults: tuple[Entry, ...]
    refresh: tuple[Entry, ...] = ()
    consent: tuple[Entry, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> FaultCatalogue:
        for part in (self.faults, self.refresh, self.consent, (self.unknown,)):
            _no_doubles(code for entry in part for code in entry.codes)
            if strangers := {entry.source for entry in part} - set(self.sources):
                raise ValueError(f"no such source: {', '.join(sorted(strangers))}")
        return self

    def rules(self, part: tuple[Entry, ...]) -> dict[str, Rule]:
        """The rule of each code of one part."""
        return {code: self._rule(entry, code) for entry in part for code in entry.codes}

    def unknown_rule(self, code: str = "") -> Rule:
        """What holds for a code that no entry has."""
        return self._rule(self.unknown, code)

    def _rule(self, entry: Entry, code: str) -> Rule:
        told = entry.model_dump(exclude={"codes", "source"})
        meaning = entry.codes.get(code, entry.title)
        return Rule(**told, code=code, meaning=meaning, source=self.sources[entry.source], version=self.version)


def _no_doubles(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{name!r} stands there twice")
        seen.add(name)


@cache
def own() -> Causes:
    """The product's own causes."""
    text = files("erp_pipelines.domain").joinpath("causes.yaml").read_text(encoding="utf-8")
    return Causes.model_validate(yaml.safe_load(text))


@cache
def _by_cause() -> dict[str, Cause]:
    return {entry.cause: entry for entry in own().causes}


def cause_of(word: str) -> Cause:
    """The entry of one of our causes; that of a bug for a word that nobody entered."""
    return _by_cause().get(word) or _by_cause()["bug"]
