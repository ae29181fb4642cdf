"""The time inside a twin: the machine's, shifted or stopped at will."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta


class TwinClock:
    """Real time plus an offset; can be frozen. Safe to use from several threads."""

    def __init__(self, frozen_at: datetime | None = None) -> None:
        self._lock = threading.Lock()
        self._offset = timedelta(0)
        self._frozen = frozen_at

    def now(self) -> datetime:
        """The twin's present moment, in UTC."""
        with self._lock:
            return self._frozen or datetime.now(UTC) + self._offset

    def advance(self, seconds: float) -> None:
        step = timedelta(seconds=seconds)
        with self._lock:
            self._offset += step
            self._frozen = self._frozen and self._frozen + step

    def set(self, moment: datetime) -> None:
        """Jump to a moment; a naive one is read as UTC."""
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        with self._lock:
            self._offset = moment.astimezone(UTC) - datetime.now(UTC)
            self._frozen = self._frozen and moment.astimezone(UTC)

    def freeze(self, *, frozen: bool = True) -> None:
        """Stop here, or go on from here."""
        here = self.now()
        with self._lock:
            self._offset = here - datetime.now(UTC)
            self._frozen = here if frozen else None

    @property
    def frozen(self) -> bool:
        return self._frozen is not None

    def state(self) -> dict[str, object]:
        moment = self._frozen.isoformat() if self._frozen else None
        return {"offset_seconds": int(self._offset.total_seconds()), "frozen": moment}

    def restore(self, state: dict[str, object]) -> None:
        frozen = state.get("frozen")
        with self._lock:
            self._offset = timedelta(seconds=int(str(state.get("offset_seconds", 0))))
            self._frozen = datetime.fromisoformat(str(frozen)) if frozen else None
