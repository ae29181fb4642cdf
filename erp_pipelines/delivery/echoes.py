"""News of the ERP's that tells of our own writes only, and so asks for no read."""

from __future__ import annotations

import datetime as dt

from erp_pipelines.connectors.base import Changed
from erp_pipelines.storage.mappings import Mapping as StoredMapping

# The ERP may stamp a document a little later than the payment that moved it.
STAMPS_APART = dt.timedelta(seconds=2)


def notice_is_ours(occurred_at: dt.datetime | None, known: StoredMapping) -> bool:
    """Whether a notice tells of nothing newer than what we know. The ERP's own stamps have whole seconds.

    Somebody's edit within the very seconds of a write of ours passes for it, until the next pull sees the version.
    """
    return occurred_at is not None and _as_of_then(occurred_at.replace(microsecond=0), known)


def change_is_ours(changed: Changed, known: StoredMapping | None) -> bool:
    """The same of a change that a pull has found: where that tells version and balance, they must be as we left them."""
    return known is not None and _as_of_then(changed.at, known) and _as_left(changed, known)


def _as_of_then(at: dt.datetime, known: StoredMapping) -> bool:
    """Stamped no later than what was last written or read, or with a write of ours that moved it."""
    if known.external_updated_at is not None and at <= known.external_updated_at:
        return True
    return known.moved_at is not None and known.moved_at <= at <= known.moved_at + STAMPS_APART


def _as_left(changed: Changed, known: StoredMapping) -> bool:
    if changed.sync_token is None or known.sync_token is None:
        return known.moved_at is None
    same_balance = None in {changed.balance, known.balance} or changed.balance == known.balance
    return changed.sync_token == _version_after(known.sync_token, known) and same_balance


def _version_after(token: str, known: StoredMapping) -> str:
    return str(int(token) + known.moved_versions) if token.isdigit() else token
