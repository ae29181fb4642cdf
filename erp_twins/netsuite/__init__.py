"""A stateful double of Oracle NetSuite: SuiteTalk REST, SuiteQL and both ways to log in."""

from erp_twins.netsuite.config import AccountSettings, TwinConfig
from erp_twins.netsuite.twin import NetSuiteTwin

__all__ = ["AccountSettings", "NetSuiteTwin", "TwinConfig"]
