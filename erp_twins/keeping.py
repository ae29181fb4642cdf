"""Tables of frozen records as JSON, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from erp_twins.jsonio import Doc

Kinds = Mapping[str, Any]
"""The class of the records in each table, by the attribute that holds it."""


def state_of(owner: object, kinds: Kinds) -> Doc:
    return {name: {key: asdict(one) for key, one in getattr(owner, name).items()} for name in kinds}


def restore(owner: object, kinds: Kinds, state: Doc) -> None:
    """Put the tables of a state back; JSON's lists become the tuples that they were."""
    for name, kind in kinds.items():
        setattr(owner, name, {key: kind(**_tuples(row)) for key, row in state[name].items()})


def _tuples(row: Doc) -> Doc:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
