"""The family tree of everything this product raises on purpose.

PipelineError                 message and mend, for a person
├── RecordInvalid             a record that cannot be right; refused when it is saved
├── NotFound                  a thing that was named does not exist (for this tenant)
├── Conflict                  the thing exists already, or stands in a state that forbids the step
├── SettingsInvalid           the environment or a setting is wrong or missing
├── ConsentRefused            an OAuth consent that failed, with the reason a person can mend
├── DatabaseDown              PostgreSQL cannot be reached
├── LockLost                  another worker owns the connection or the event now
└── ErpError                  something about a call to an ERP
    ├── Transient             a repeat may help
    │   ├── Throttled         the provider asks for a pause; spends no retry
    │   │   └── Misconfigured this installation's settings are refused: the grant is whole, wait for the mend
    │   │       └── SecretsClosed  the stored tokens don't open with this process's keys
    │   ├── Unavailable       5xx, network, breaker open: nothing was done
    │   └── AnswerLost        the write may have happened: settle by looking, never by guessing
    ├── StaleVersion          somebody changed the document since we read it
    ├── TokenRejected         401: refresh once, repeat once
    ├── ConnectionLost        the grant is gone: a person must reconnect
    ├── Rejected              a rule of the ERP: a repeat cannot help
    │   └── NameTaken         Rejected because the natural key exists already: look, adopt or explain
    └── RequirementMissing    a mapping or setting must exist first; due again by itself when it does
"""

from __future__ import annotations

from erp_pipelines.domain.catalogue import UNKNOWN, Rule


class PipelineError(Exception):
    """Base of all. `message` says what happened, `mend` what a person can do about it.

    Neither ever holds a token, key, signature or a whole body.
    """

    code = "error"

    def __init__(self, message: str, *, mend: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.message} {self.mend}".strip()


class RecordInvalid(PipelineError):
    """A record that cannot be right. `field` is the JSON path of the offending part, if there is one."""

    code = "record-invalid"

    def __init__(self, message: str, *, field: str = "", mend: str = "") -> None:
        super().__init__(message, mend=mend)
        self.field = field


class NotFound(PipelineError):
    code = "not-found"


class Conflict(PipelineError):
    code = "conflict"


class SettingsInvalid(PipelineError):
    code = "settings-invalid"


class ConsentRefused(PipelineError):
    code = "consent-refused"


class DatabaseDown(PipelineError):
    code = "database-down"


class LockLost(PipelineError):
    """The caller must stop before its next send: somebody else may be the worker now."""

    code = "lock-lost"


class ErpError(PipelineError):
    """Something about a call to an ERP. `erp_code` and `request_id` are the provider's own, for its support.

    `rule` is what the provider's catalogue says of the code, where the provider gave one.
    """

    code = "erp-error"
    rule: Rule | None = None

    def __init__(self, message: str, *, mend: str = "", erp_code: str = "", request_id: str = "") -> None:
        super().__init__(message, mend=mend)
        self.erp_code = erp_code
        self.request_id = request_id

    @property
    def unclassified(self) -> bool:
        """Whether the provider said something that no catalogue knows."""
        return self.rule is not None and self.rule.cause == UNKNOWN


class Transient(ErpError):
    code = "erp-unavailable"


class Throttled(Transient):
    """The provider asks for a pause of `retry_after` seconds for the whole connection."""

    code = "erp-throttled"

    def __init__(
        self, message: str, *, retry_after: float, mend: str = "", erp_code: str = "", request_id: str = ""
    ) -> None:
        super().__init__(message, mend=mend, erp_code=erp_code, request_id=request_id)
        self.retry_after = retry_after


class Misconfigured(Throttled):
    """This installation's own settings are refused, no tenant's grant: all goes on by itself when they are mended."""

    code = "settings-refused"


class SecretsClosed(Misconfigured):
    """The stored tokens don't open with this process's keys."""

    code = "secret-unreadable"


class Unavailable(Transient):
    code = "erp-unavailable"


class AnswerLost(Transient):
    """A write was sent and no answer that can be believed came back."""

    code = "in-doubt"


class StaleVersion(ErpError):
    code = "stale-version"


class TokenRejected(ErpError):
    code = "token-rejected"


class ConnectionLost(ErpError):
    """The grant is gone or the company is offline: the connection is parked until a person acts."""

    code = "reconnect-needed"


class Rejected(ErpError):
    """A rule of the ERP. `cause` is a stable word to group by; `message` carries the ERP's own text."""

    code = "erp-rejected"

    def __init__(
        self, message: str, *, cause: str, mend: str, erp_code: str = "", request_id: str = "", definitive: bool = True
    ) -> None:
        super().__init__(message, mend=mend, erp_code=erp_code, request_id=request_id)
        self.cause = cause
        self.definitive = definitive

    @property
    def unclassified(self) -> bool:
        return self.cause == UNKNOWN or super().unclassified


def voided(kind: str, number: str) -> Rejected:
    """The refusal to touch a document that a person has voided."""
    return Rejected(
        f"{kind} {number} was voided in the ERP; a changed order does not bring it back.",
        cause="voided-in-erp",
        mend="Cancel the order in the shop, or place it anew.",
    )


class NameTaken(Rejected):
    """The natural key exists already in the ERP. `candidate` is the ERP id it names, where it names one."""

    code = "name-taken"

    def __init__(
        self, message: str, *, mend: str, candidate: str = "", erp_code: str = "", request_id: str = ""
    ) -> None:
        super().__init__(message, cause="name-taken", mend=mend, erp_code=erp_code, request_id=request_id)
        self.candidate = candidate


class RequirementMissing(ErpError):
    """`requirement` names what is waited for, such as `mapping:Order:10248` or `setting:incomeAccountId`."""

    code = "requirement-missing"

    def __init__(self, message: str, *, requirement: str, mend: str) -> None:
        super().__init__(message, mend=mend)
        self.requirement = requirement
