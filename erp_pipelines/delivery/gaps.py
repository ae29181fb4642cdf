"""How well an ERP tells of its changes: what a pull has found, and no notice had told of in time."""

from __future__ import annotations

import datetime as dt

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.storage import gaps

# A notice may be so late before it counts as missed; QuickBooks tells within five minutes as a rule.
WITHIN = dt.timedelta(minutes=15)
LOOK_BACK = dt.timedelta(days=7)


def missed(runtime: Runtime, key: ConnectionKey) -> int:
    """Changes of the last week that no notice had told of in time; none for a provider that sends no notices."""
    if runtime.connector(key.provider).webhooks is None:
        return 0
    now = runtime.clock.now()
    with runtime.db.tenant(key.tenant_id) as conn:
        return gaps.count(conn, key.tenant_id, key.provider, now=now, since=now - LOOK_BACK, within=WITHIN)


def missed_by_provider(runtime: Runtime) -> dict[str, int]:
    """The same over all tenants, for every provider that sends notices."""
    now = runtime.clock.now()
    with runtime.db.system() as conn:
        found = dict(gaps.by_provider(conn, now=now, since=now - LOOK_BACK, within=WITHIN))
    return {name: found.get(name, 0) for name, one in sorted(runtime.connectors.items()) if one.webhooks is not None}
