"""Verdicts: what becomes of an event after a try. One table, one pure function; nobody else decides."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from enum import StrEnum

from erp_pipelines.domain import errors
from erp_pipelines.domain.catalogue import Owner, Rule, cause_of, own
from erp_pipelines.domain.retry import next_attempt_at


class Outcome(StrEnum):
    """How a completed event was completed."""

    CREATED = "Created"
    UPDATED = "Updated"
    ADOPTED = "Adopted"  # it stood in the ERP already and is ours now
    UNCHANGED = "Unchanged"  # nothing to send
    SUPERSEDED = "Superseded"  # a later event carries the newer state
    NOT_WANTED = "NotWanted"  # the settings say that this is no document (yet)


@dataclass(frozen=True)
class Explained:
    """An error as a person reads it: the ERP's own words, the group it belongs to, whose job it is, and the mend."""

    message: str
    cause: str
    mend: str
    erp_code: str = ""
    request_id: str = ""
    rule: Rule | None = field(default=None, compare=False, repr=False)

    @property
    def owner(self) -> Owner:
        return self.rule.owner if self.rule else cause_of(self.cause).owner

    @property
    def retriable(self) -> bool:
        """Whether a repeat may help without anybody changing anything."""
        return self.rule.retriable if self.rule else cause_of(self.cause).retriable

    @property
    def catalogue(self) -> str:
        """The version of the catalogue that says so."""
        return self.rule.version if self.rule else own().version


@dataclass(frozen=True)
class Completed:
    outcome: Outcome


@dataclass(frozen=True)
class Retry:
    """Failed; again at `at`. Spends a retry."""

    at: dt.datetime
    error: Explained
    in_doubt: bool = False


@dataclass(frozen=True)
class Pause:
    """The whole connection waits until `until`; no retry is spent."""

    until: dt.datetime
    error: Explained
    in_doubt: bool = False


@dataclass(frozen=True)
class Park:
    """The connection needs a person; its events wait and spend no retry."""

    error: Explained


@dataclass(frozen=True)
class Abandon:
    """A repeat cannot help, or the retries are spent. `requirement` names what makes it due again by itself.

    `refused`: the ERP has definitely said no, so the next try needs a new request key.
    """

    error: Explained
    requirement: str | None = None
    refused: bool = False
    in_doubt: bool = False


# Causes of a pause that does not end before a person does something.
OURS_TO_MEND = frozenset({errors.Misconfigured.code, errors.SecretsClosed.code})

Verdict = Completed | Retry | Pause | Park | Abandon


def judge(error: Exception, *, retries: int, max_retries: int, now: dt.datetime, jitter: float) -> Verdict:
    """The verdict on a failed try; see the table in docs/architecture.md. Pure."""
    why = explain(error)
    match error:
        case errors.Throttled():
            return Pause(now + dt.timedelta(seconds=error.retry_after), why)
        case errors.ConnectionLost() | errors.TokenRejected():
            return Park(why)
        case errors.RequirementMissing():
            return Abandon(why, requirement=error.requirement)
        case errors.Rejected():
            return Abandon(why, refused=error.definitive)
        case errors.RecordInvalid():
            return Abandon(why)
    in_doubt = isinstance(error, errors.AnswerLost)
    if retries >= max_retries:
        return Abandon(_spent(why, retries), in_doubt=in_doubt)
    return Retry(next_attempt_at(now, retries, jitter), _told_on(why), in_doubt=in_doubt)


def explain(error: Exception) -> Explained:
    """What to show of an error. An exception that is none of ours shows its class only: its text may hold anything."""
    if not isinstance(error, errors.PipelineError):
        name = type(error).__name__
        return Explained(f"An unexpected {name} stopped this event.", "bug", "Look up the run's log and report it.")
    cause = error.cause if isinstance(error, errors.Rejected) else error.code
    if isinstance(error, errors.ErpError):
        return Explained(error.message, cause, error.mend, error.erp_code, error.request_id, error.rule)
    return Explained(error.message, cause, error.mend)


def _told_on(why: Explained) -> Explained:
    return replace(why, mend=why.mend or cause_of(why.cause).mend)


def _spent(why: Explained, retries: int) -> Explained:
    mend = why.mend or "Retry it when the ERP answers again; what may stand there already is looked for first."
    return replace(why, message=f"Given up after {retries} retries: {why.message}", mend=mend)
