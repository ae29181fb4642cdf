"""The providers that the harnesses run against. A new one is a module here and a row below; nothing else knows its name."""

from __future__ import annotations

from tests.support.erps.base import Document, Fault, StagedErp, served
from tests.support.erps.netsuite import StagedNetSuite
from tests.support.erps.quickbooks import StagedQuickBooks

ERPS: dict[str, type[StagedErp]] = {erp.provider: erp for erp in (StagedQuickBooks, StagedNetSuite)}

__all__ = ["ERPS", "Document", "Fault", "StagedErp", "served"]
