"""How many calls an account handles at once (reference section 6). Shared by all who call it."""

from __future__ import annotations

from collections import Counter

from erp_twins.jsonio import Doc


class Governance:
    """Calls in flight by account. Guarded by the twin's lock, which nobody holds while a call takes its time."""

    def __init__(self) -> None:
        self._in_flight: Counter[str] = Counter()
        self.highest: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    def enter(self, account: str, limit: int | None) -> bool:
        """Take a place, or be refused. Without a limit everybody gets one."""
        if limit is not None and self._in_flight[account] >= limit:
            self.refused[account] += 1
            return False
        self._in_flight[account] += 1
        self.highest[account] = max(self.highest[account], self._in_flight[account])
        return True

    def leave(self, account: str) -> None:
        self._in_flight[account] -= 1

    def summary(self) -> Doc:
        """By account: in flight now, the most ever at once, and how many calls were refused."""
        counts = {"inFlight": self._in_flight, "highest": self.highest, "refused": self.refused}
        return {name: dict(counter) for name, counter in counts.items()}
