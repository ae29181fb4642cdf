"""Connecting with credentials that an admin enters: tried for real first, stored only when they let us in."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from erp_pipelines.access.consent import check_company, store
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.access.tokens import credentials_of
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.storage.connections import ConnectionRow

log = structlog.get_logger("erp.access")


def connect(runtime: Runtime, key: ConnectionKey, form: Mapping[str, str], by: str) -> ConnectionRow:
    """The connection, stored with its credentials; nothing is stored when anything fails.

    Again for a connection that stands: the new credentials replace the old ones. Raises NotFound for an unknown provider,
    RecordInvalid naming the field that cannot be right, ConsentRefused with the mend; Conflict when the company is another
    tenant's, or the tenant's records stand in another company already; Unavailable when the provider does not answer.
    """
    grant, company = credentials_of(runtime, key.provider).connect(form)
    check_company(runtime, key, company.external_id)
    row = store(runtime, key, company, grant, by)
    log.info("connected", connection=str(row.key), by=by, environment=row.environment)
    return row
