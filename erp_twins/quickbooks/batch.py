"""Batch: up to 30 independent items, each with its own outcome (reference section 7)."""

from __future__ import annotations

from erp_twins.jsonio import Doc
from erp_twins.quickbooks import faults, operations, query
from erp_twins.quickbooks.company import Company
from erp_twins.quickbooks.entities import SCHEMAS
from erp_twins.quickbooks.faults import QboFault

_MOST = 30


def items_of(body: Doc) -> list[Doc]:
    """The items of a batch request. Fault 1040 above the limit."""
    items = body.get("BatchItemRequest", [])
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        raise QboFault(faults.missing("BatchItemRequest"))
    if len(items) > _MOST:
        raise faults.fault(
            1040, "Batch too large", f"A batch can have at most {_MOST} items; this one has {len(items)}"
        )
    return items


def run(company: Company, items: list[Doc]) -> list[Doc]:
    """Outcomes in request order. What one item creates stays invisible to the others."""
    answers = []
    try:
        for item in items:
            known = len(company.history)
            answers.append({"bId": str(item.get("bId", "")), **_outcome(company, item)})
            company.hidden |= {
                (row["entity"], row["id"]) for row in company.history[known:] if row["operation"] == "Create"
            }
    finally:
        company.hidden.clear()
    return answers


def _outcome(company: Company, item: Doc) -> Doc:
    try:
        if "Query" in item:
            return {"QueryResponse": query.run(company, str(item["Query"]))}
        return _write(company, item)
    except QboFault as refused:
        return {"Fault": refused.to_json()}


def _write(company: Company, item: Doc) -> Doc:
    name = next((key for key in item if key in SCHEMAS), "")
    if not name or not isinstance(item[name], dict):
        raise faults.fault(2000, "Unknown object name", "The batch item holds no known entity")
    options = frozenset(str(item.get("optionsData", "")).lower().split(","))
    operation = "void" if "void" in options else str(item.get("operation", "create")).lower()
    if operation not in {"create", "update", "delete", "void"}:
        raise faults.unsupported(operation, name)
    return {name: operations.write(company, SCHEMAS[name], item[name], operation, options)}
