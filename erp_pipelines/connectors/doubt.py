"""Writes whose answer was lost: when an absence may be believed, and that a doubt outlives a failure to ask."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

from erp_pipelines.connectors.base import Write
from erp_pipelines.domain.errors import AnswerLost, Unavailable


def wait_out(write: Write, seconds: float, now: dt.datetime) -> None:
    """Return when an earlier try cannot be at work in the ERP any more, which is after `seconds`; until then, AnswerLost."""
    since = write.doubt_since
    if since is None or (now - since).total_seconds() < seconds:
        raise AnswerLost(
            "An earlier try went unanswered and its document is not there, but may still appear.",
            mend=f"It is looked for again {seconds:.0f} s after that try.",
        )


@contextmanager
def doubt_kept(write: Write) -> Iterator[None]:
    """A write that is in doubt stays so for as long as the ERP cannot be asked."""
    try:
        yield
    except Unavailable as error:
        if not write.in_doubt:
            raise
        raise AnswerLost(error.message, mend=error.mend, erp_code=error.erp_code, request_id=error.request_id) from None
