"""What people are told of, and by what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Message:
    title: str
    body: str


class Channel(Protocol):
    """A way to reach people. `name` holds no secret and may stand in logs."""

    @property
    def name(self) -> str: ...

    def send(self, message: Message) -> bool:
        """Whether it was taken. Raises nothing."""
        ...
