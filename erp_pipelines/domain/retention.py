"""How long data are kept. What is not done, and the newest event of each record, are kept whatever their age."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Keep:
    """In days: payloads of events and calls; finished events and their deliveries; finished notices; the sync log; Dagster's runs."""

    payload_days: int = 90
    event_days: int = 365
    notice_days: int = 90
    log_days: int = 730
    run_days: int = 30
