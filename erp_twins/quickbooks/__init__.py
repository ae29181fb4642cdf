"""A stateful double of the QuickBooks Online Accounting API v3, OAuth and webhooks included."""

from erp_twins.quickbooks.config import CompanySettings, TwinConfig
from erp_twins.quickbooks.twin import QuickBooksTwin

__all__ = ["CompanySettings", "QuickBooksTwin", "TwinConfig"]
