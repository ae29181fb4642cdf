"""The JSON of errors: what waits for somebody, and the catalogue that says for whom."""

from __future__ import annotations

from erp_pipelines.domain.catalogue import Cause, Owner, Rule, Treatment
from erp_pipelines.storage.open_errors import Group
from erp_pipelines.storage.unknown_faults import UnknownFault
from webhook_api.schemas import Body, Moment


class RecordRef(Body):
    entity_type: str
    entity_id: str


class ErrorGroup(Body):
    """One cause at one provider: whose job it is, how many records it stops, and some of them."""

    provider: str
    cause: str
    title: str
    owner: str | None
    retriable: bool | None
    erp_code: str | None
    count: int
    in_doubt: int
    oldest: Moment
    message: str | None
    mend: str | None
    records: list[RecordRef]

    @classmethod
    def of(cls, group: Group, title: str) -> ErrorGroup:
        return cls(
            provider=group.provider,
            cause=group.cause,
            title=title,
            owner=group.owner,
            retriable=group.retriable,
            erp_code=group.erp_code,
            count=group.count,
            in_doubt=group.in_doubt,
            oldest=group.oldest,
            message=group.message,
            mend=group.mend,
            records=[RecordRef(entity_type=kind, entity_id=entity_id) for kind, entity_id in group.records],
        )


class UnknownFaultOut(Body):
    """A code that the ERP gave and no catalogue knows, with its last words."""

    provider: str
    code: str
    count: int
    first_seen: Moment
    last_seen: Moment
    message: str

    @classmethod
    def of(cls, fault: UnknownFault) -> UnknownFaultOut:
        return cls.model_validate(fault, from_attributes=True)


class ErrorsOut(Body):
    """What waits for somebody. `inDoubt` counts writes whose answer was lost, over all groups."""

    groups: list[ErrorGroup]
    count: int
    in_doubt: int
    unknown_faults: list[UnknownFaultOut]


class CauseOut(Body):
    cause: str
    title: str
    owner: Owner
    retriable: bool
    mend: str

    @classmethod
    def of(cls, cause: Cause) -> CauseOut:
        return cls.model_validate(cause.model_dump())


class FaultOut(Body):
    """What one code of a provider means. `treatment` says what becomes of the call that got it."""

    code: str
    cause: str
    title: str
    meaning: str
    owner: Owner
    treatment: Treatment
    retriable: bool
    mend: str
    source: str

    @classmethod
    def of(cls, rule: Rule) -> FaultOut:
        return cls(**rule.model_dump(exclude={"version"}), retriable=rule.retriable)


class ProviderCatalogue(Body):
    """How one provider's codes are classified: answers to calls, to renewals of the grant, to consents."""

    provider: str
    version: str
    unknown: FaultOut
    faults: list[FaultOut]
    refresh: list[FaultOut]
    consent: list[FaultOut]


class CatalogueOut(Body):
    """The product's own causes, with their version, and every provider's codes."""

    version: str
    causes: list[CauseOut]
    providers: list[ProviderCatalogue]
