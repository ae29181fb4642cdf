"""Change data capture: what changed since a moment, deletions as stubs (reference section 6)."""

from __future__ import annotations

from datetime import datetime, timedelta

from erp_twins.jsonio import Doc
from erp_twins.quickbooks import faults
from erp_twins.quickbooks.company import Company
from erp_twins.quickbooks.config import TwinConfig
from erp_twins.quickbooks.entities import BY_PATH, SINGLETONS
from erp_twins.quickbooks.operations import shown
from erp_twins.quickbooks.schema import Schema

_LOOK_BACK = timedelta(days=30)


def run(company: Company, config: TwinConfig, entities: str, since: str) -> list[Doc]:
    """The `QueryResponse` array, one entry per requested entity, `{}` where nothing changed."""
    start = _start(company, since)
    schemas = [_schema(name.strip()) for name in entities.split(",") if name.strip()]
    if not schemas:
        raise faults.fault(
            2020,
            "Required param missing, need to supply the required value for the API",
            "Required parameter entities is missing in the request",
            "entities",
        )
    answers, left = [], config.cdc_cap
    for schema in schemas:
        rows = _changed(company, schema, start)[: left if config.cdc_cap_per == "response" else config.cdc_cap]
        left -= len(rows)
        answers.append(_answer(schema.name, rows))
    return answers


def _answer(entity: str, rows: list[Doc]) -> Doc:
    return {entity: rows, "startPosition": 1, "maxResults": len(rows), "totalCount": len(rows)} if rows else {}


def _schema(name: str) -> Schema:
    schema = BY_PATH.get(name.lower())
    if schema is None or not schema.changes_reported or schema.name in SINGLETONS:
        raise faults.fault(
            2000, "Unsupported entity", f"Entity {name} is not supported by change data capture", "entities"
        )
    return schema


def _start(company: Company, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as error:
        raise faults.fault(
            2060, "Invalid Date Format", f"changedSince {text!r} is not a date", "changedSince"
        ) from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=company.now().tzinfo)
    if company.now() - moment > _LOOK_BACK:
        raise faults.fault(
            2240, "Date range exceeded", "The changedSince date exceeds the allowed number of 30 days", "changedSince"
        )
    return moment.replace(microsecond=0)


def _changed(company: Company, schema: Schema, start: datetime) -> list[Doc]:
    """Live documents by time of change, then deleted ones; the bound itself is included."""
    timed = [(datetime.fromisoformat(row["MetaData"]["LastUpdatedTime"]), row) for row in company.rows(schema.name)]
    live = sorted((pair for pair in timed if pair[0] >= start), key=lambda pair: pair[0])
    gone = [
        stone
        for stone in company.tombstones
        if stone["entity"] == schema.name and datetime.fromisoformat(stone["time"]) >= start
    ]
    return [shown(company, schema.name, row) for _, row in live] + [_stub(stone) for stone in gone]


def _stub(stone: Doc) -> Doc:
    return {"domain": "QBO", "status": "Deleted", "Id": stone["Id"], "MetaData": {"LastUpdatedTime": stone["time"]}}
