"""SuiteQL over an account's tables: really parsed, really evaluated, refused as NetSuite refuses it."""

from erp_twins.netsuite.suiteql.engine import SuiteQL
from erp_twins.netsuite.suiteql.model import ColumnType, Dialect, Page, QueryRefused, Table

__all__ = ["ColumnType", "Dialect", "Page", "QueryRefused", "SuiteQL", "Table"]
