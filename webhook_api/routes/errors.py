"""What waits for somebody, by cause, and the catalogue of all causes: for managers and admins."""

from __future__ import annotations

from fastapi import APIRouter

from erp_pipelines.connectors.registry import catalogues
from erp_pipelines.domain.catalogue import Entry, FaultCatalogue, own
from erp_pipelines.storage import open_errors, unknown_faults
from webhook_api.dependencies import House, Manager
from webhook_api.error_schemas import (
    CatalogueOut,
    CauseOut,
    ErrorGroup,
    ErrorsOut,
    FaultOut,
    ProviderCatalogue,
    UnknownFaultOut,
)
from webhook_api.views import group_title

router = APIRouter(prefix="/api/integrations/errors", tags=["errors"])


@router.get("")
def get_errors(runtime: House, user: Manager) -> ErrorsOut:
    """Open errors by cause, the most frequent first. What a later event of the record has overtaken is over."""
    with runtime.db.tenant(user.tenant_id) as conn:
        groups = open_errors.groups(conn, user.tenant_id)
        unknown = unknown_faults.of_tenant(conn, user.tenant_id)
    return ErrorsOut(
        groups=[ErrorGroup.of(group, group_title(group)) for group in groups],
        count=sum(group.count for group in groups),
        in_doubt=sum(group.in_doubt for group in groups),
        unknown_faults=[UnknownFaultOut.of(fault) for fault in unknown],
    )


@router.get("/catalogue")
def get_catalogue(_user: Manager) -> CatalogueOut:
    """Every cause and every classified code: whose job it is, and what that person can do."""
    causes = own()
    return CatalogueOut(
        version=causes.version,
        causes=[CauseOut.of(cause) for cause in causes.causes],
        providers=[_provider(found) for found in catalogues()],
    )


def _provider(found: FaultCatalogue) -> ProviderCatalogue:
    def shown(part: tuple[Entry, ...]) -> list[FaultOut]:
        return [FaultOut.of(rule) for rule in found.rules(part).values()]

    return ProviderCatalogue(
        provider=found.provider,
        version=found.version,
        unknown=FaultOut.of(found.unknown_rule()),
        faults=shown(found.faults),
        refresh=shown(found.refresh),
        consent=shown(found.consent),
    )
