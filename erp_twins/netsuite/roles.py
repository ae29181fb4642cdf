"""Roles: what a user may do, record type by record type, and which doors of the account are open to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LEVELS = ("none", "view", "create", "edit", "full")
DOORS = ("rest_web_services", "oauth_login", "token_login", "workbook", "deleted_records", "administrator")
ADMINISTRATOR = "3"
INTEGRATOR = "1001"


@dataclass(frozen=True)
class Role:
    """`levels` by record type, `*` for the rest; `doors` are those of the setup and reports permissions that stand open."""

    ident: str
    name: str
    levels: Mapping[str, str] = field(default_factory=lambda: {"*": "full"})
    doors: tuple[str, ...] = DOORS[:-1]

    def __post_init__(self) -> None:
        wrong = [level for level in self.levels.values() if level not in LEVELS] + [
            door for door in self.doors if door not in DOORS
        ]
        if wrong:
            raise ValueError(f"no such level or door: {', '.join(wrong)}")

    def may(self, record_type: str, level: str) -> bool:
        lower = {name.lower(): value for name, value in self.levels.items()}
        held = lower.get(record_type.lower(), lower.get("*", "none"))
        return LEVELS.index(held) >= LEVELS.index(level)

    def opens(self, door: str) -> bool:
        return door in self.doors

    @classmethod
    def revived(cls, state: dict[str, Any]) -> Role:
        return cls(state["ident"], state["name"], state["levels"], tuple(state["doors"]))


def usual() -> dict[str, Role]:
    """An administrator, and the role that an integration should have."""
    rows = (
        Role(ADMINISTRATOR, "Administrator", doors=DOORS),
        Role(INTEGRATOR, "Integration"),
    )
    return {role.ident: role for role in rows}
