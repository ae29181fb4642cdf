"""The life of a delivery, as data: which state may follow which.

    Pending -> Processing -> Completed
                          -> Failed    -> Processing (at its time) ...
                          -> Pending   (paused, parked or its worker died: no retry spent)
                          -> Abandoned -> Pending (a person's retry, or what it waited for exists now)

Constraints of the table repeat it (`storage/tables.py`), and every statement is guarded by the state it leaves.
"""

from __future__ import annotations

from enum import StrEnum


class DeliveryStatus(StrEnum):
    PENDING = "Pending"
    PROCESSING = "Processing"
    COMPLETED = "Completed"
    FAILED = "Failed"
    ABANDONED = "Abandoned"


class SyncStatus(StrEnum):
    """Of a sync log row and an inbox notice."""

    PENDING = "Pending"
    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    FAILED = "Failed"
    SKIPPED = "Skipped"


class Direction(StrEnum):
    TO_EXTERNAL = "ToExternal"
    FROM_EXTERNAL = "FromExternal"


S = DeliveryStatus
TRANSITIONS: dict[DeliveryStatus, frozenset[DeliveryStatus]] = {
    S.PENDING: frozenset({S.PROCESSING, S.COMPLETED}),  # Completed without a claim: superseded before it was sent
    S.PROCESSING: frozenset({S.COMPLETED, S.FAILED, S.PENDING, S.ABANDONED}),
    S.FAILED: frozenset({S.PROCESSING, S.COMPLETED, S.PENDING}),
    S.ABANDONED: frozenset({S.PENDING}),
    S.COMPLETED: frozenset(),
}
FINAL = frozenset({S.COMPLETED, S.ABANDONED})
WAITING = frozenset({S.PENDING, S.FAILED})
