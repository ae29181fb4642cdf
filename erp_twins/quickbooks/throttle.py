"""Rate limits per realm and per realm and app, and the count of metered reads (reference section 8)."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from erp_twins.quickbooks.config import TwinConfig


@dataclass(frozen=True)
class Limit:
    """At most `most` calls in any `seconds`; `per_app` limits count each app by itself."""

    name: str
    most: int
    seconds: int
    per_app: bool
    batch_only: bool = False


LIMITS = (
    Limit("realm", 500, 60, per_app=False),
    Limit("app", 10, 1, per_app=True),
    Limit("batch-app", 40, 60, per_app=True, batch_only=True),
    Limit("batch-realm", 120, 60, per_app=False, batch_only=True),
)


class Throttle:
    """Moving windows on the twin's clock. Refused calls do not count."""

    def __init__(self, limits: tuple[Limit, ...] = LIMITS) -> None:
        self._limits = limits
        self._windows: defaultdict[tuple[str, str, str], deque[datetime]] = defaultdict(deque)
        self.core_plus: Counter[str] = Counter()

    def admits(self, config: TwinConfig, realm: str, app: str, now: datetime, *, batch: bool) -> bool:
        """Count a call, or refuse it."""
        if not config.throttle:
            return True
        due = [(limit, self._window(limit, realm, app, now)) for limit in self._limits if batch or not limit.batch_only]
        if any(len(window) >= limit.most * config.throttle_scale for limit, window in due):
            return False
        for _, window in due:
            window.append(now)
        return True

    def _window(self, limit: Limit, realm: str, app: str, now: datetime) -> deque[datetime]:
        window = self._windows[limit.name, realm, app if limit.per_app else ""]
        while window and now - window[0] >= timedelta(seconds=limit.seconds):
            window.popleft()
        return window
