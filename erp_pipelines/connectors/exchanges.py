"""What was said between us and an ERP while a record was worked on, for whoever looks at the try afterwards.

Heard by who opens `overheard` in the same thread. Calls for tokens are never heard: they do not go through `Caller`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from erp_pipelines.connectors.base import Ref
from erp_pipelines.connectors.http import Answer, Call

# The last calls explain a failure; those before them went well.
LAST = 5


@dataclass(frozen=True)
class Exchange:
    """One call and its answer, as they were: nothing is masked yet.

    `failure` says why there is no answer. `ref`: the one record of a batch that it is about.
    """

    call: Call
    answer: Answer | None = None
    failure: str = ""
    ref: Ref | None = None


_listening: ContextVar[deque[Exchange] | None] = ContextVar("exchanges", default=None)


@contextmanager
def overheard(last: int = LAST) -> Iterator[Sequence[Exchange]]:
    """The exchanges of this thread from here on; of more than `last`, the last ones."""
    heard: deque[Exchange] = deque(maxlen=last)
    token = _listening.set(heard)
    try:
        yield heard
    finally:
        _listening.reset(token)


def note(exchange: Exchange) -> None:
    heard = _listening.get()
    if heard is not None:
        heard.append(exchange)
