"""A worker's report in Dagster's words: metadata, log lines, materializations. Pure; nothing is stored here."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Mapping, Sequence

import dagster as dg

from erp_pipelines.assets.kinds import ASSET_OF, entity_types_of
from erp_pipelines.delivery.reports import MOST_DOCUMENTS, MOST_FAILURES, NOTICES, PULLED, Document, Failure, Report

Metadata = Mapping[str, dg.MetadataValue]
_ERRORS = dg.TableSchema(columns=[dg.TableColumn(name) for name in ("record", "status", "message", "cause", "mend")])
_CALLS = dg.TableSchema(columns=[dg.TableColumn("call"), dg.TableColumn("count", "int")])
# Words of others stand in a Markdown table: nothing of them may end a cell, or become a link or a tag.
_MARKUP = re.compile(r"([\\|\[\]()<>`*_])")


def metadata_of(report: Report, requests_per_minute: float | None = None) -> Metadata:
    """What a run, an asset or a partition says about the work in `report`."""
    values: dict[str, dg.MetadataValue] = {
        "connection": dg.MetadataValue.text(str(report.key)),
        "sent": dg.MetadataValue.int(report.sent),
        "unchanged": dg.MetadataValue.int(report.skipped),
        "failed": dg.MetadataValue.int(report.counts.get("Failed", 0)),
        "abandoned": dg.MetadataValue.int(report.counts.get("Abandoned", 0)),
        "notices": dg.MetadataValue.int(report.counts.get(NOTICES, 0)),
        "changes": dg.MetadataValue.int(report.counts.get(PULLED, 0)),
        "reads": dg.MetadataValue.int(report.reads),
        "writes": dg.MetadataValue.int(report.writes),
        "seconds": dg.MetadataValue.float(round(float(report.seconds), 3)),
    }
    return values | _details(report) | _share(report, requests_per_minute)


def _details(report: Report) -> dict[str, dg.MetadataValue]:
    """What only some reports have."""
    values: dict[str, dg.MetadataValue] = {}
    if report.calls:
        calls = [dg.TableRecord({"call": kind, "count": count}) for kind, count in sorted(report.calls.items())]
        values["calls"] = dg.MetadataValue.table(calls, schema=_CALLS)
    if report.documents:
        values["documents"] = dg.MetadataValue.md(_documents(report.documents))
    if report.failures:
        values["errors"] = dg.MetadataValue.table([_error(failure) for failure in report.failures], schema=_ERRORS)
    if report.parked:
        values["stopped"] = dg.MetadataValue.text(report.parked)
    return values


def _share(report: Report, requests_per_minute: float | None) -> dict[str, dg.MetadataValue]:
    """How much of the provider's ceiling the work used, 0 to 1."""
    if not requests_per_minute or report.seconds <= 0:
        return {}
    used = (report.reads + report.writes) * 60 / report.seconds
    return {"share_of_ceiling": dg.MetadataValue.float(round(min(used / requests_per_minute, 1.0), 3))}


def _documents(documents: Sequence[Document]) -> str:
    rows = [f"| {_plain(f'{d.entity_type} {d.entity_id}')} | {_link(d)} | {d.outcome} |" for d in documents]
    return "\n".join(["| record | document | outcome |", "| --- | --- | --- |", *rows])


def _link(document: Document) -> str:
    text = _plain(_name(document))
    if document.url and re.fullmatch(r"https?://[^\s|()<>]+", document.url):
        return f"[{text}]({document.url})"
    return text


def _plain(text: str) -> str:
    return _MARKUP.sub(r"\\\1", text)


def _name(document: Document) -> str:
    return f"{document.external_type} {document.number or document.external_id}"


def _error(failure: Failure) -> dg.TableRecord:
    return dg.TableRecord({
        "record": f"{failure.entity_type} {failure.entity_id}", "status": failure.status,
        "message": failure.message, "cause": failure.cause, "mend": failure.mend,
    })  # fmt: skip


def lines_of(report: Report) -> list[str]:
    """The report for a reader of the run's log: a line for each record, then one for the whole."""
    if report.busy:
        return [f"{report.key} is served by another worker; its events stay due."]
    if not report.handled and not report.parked:
        return []
    lines = [f"{d.entity_type} {d.entity_id} -> {_name(d)} {d.outcome.lower()}" for d in report.documents]
    lines += [
        f"{f.entity_type} {f.entity_id} {f.status.lower()}: {f.message} {f.mend}".rstrip() for f in report.failures
    ]
    if report.parked:
        lines.append(f"{report.key} stopped: {report.parked}")
    if len(lines) == 1 and report.handled:
        return [f"{lines[0]}, {_count(report.writes, 'write')}"]
    return [*lines, _summary(report)]


def _summary(report: Report) -> str:
    counts = ", ".join(f"{count} {outcome.lower()}" for outcome, count in report.counts.items()) or "nothing"
    calls = f"{_count(report.reads, 'read')}, {_count(report.writes, 'write')}"
    return f"{report.key}: {counts}; {calls} in {report.seconds:.1f} s"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")


def materializations_of(
    report: Report, requests_per_minute: float | None = None, *, without: dg.AssetKey | None = None
) -> list[dg.AssetMaterialization]:
    """One for each asset of which something was brought in; failures alone leave the ERP as it was."""
    return [
        dg.AssetMaterialization(asset, partition=str(report.key), metadata=metadata_of(part, requests_per_minute))
        for asset in dict.fromkeys(ASSET_OF.values())
        if asset != without and changed(part := part_of(report, asset))
    ]


def changed(report: Report) -> bool:
    return bool(report.sent or report.skipped or report.counts.get(NOTICES) or report.counts.get(PULLED))


def part_of(report: Report, asset: dg.AssetKey) -> Report:
    """The part of a report that concerns one asset. Calls and time are the connection's as a whole.

    Counts are taken from the listed documents and failures, so ask for reports small enough to list them all.
    """
    kinds = entity_types_of(asset)
    documents = tuple(document for document in report.documents if document.entity_type in kinds)
    failures = tuple(failure for failure in report.failures if failure.entity_type in kinds)
    counts = Counter([d.outcome for d in documents] + [f.status for f in failures])
    counts.update(
        {word: report.counts[word] for word in (NOTICES, PULLED) if word in kinds and report.counts.get(word)}
    )
    return dataclasses.replace(report, counts=counts, documents=documents, failures=failures)


def added(first: Report, second: Report) -> Report:
    """Two pieces of work on one connection as one; the later one says how it stands now."""
    return dataclasses.replace(
        second,
        counts=Counter(first.counts) + Counter(second.counts),
        documents=(first.documents + second.documents)[-MOST_DOCUMENTS:],
        failures=(first.failures + second.failures)[-MOST_FAILURES:],
        reads=first.reads + second.reads,
        writes=first.writes + second.writes,
        calls=Counter(first.calls) + Counter(second.calls),
        seconds=first.seconds + second.seconds,
    )
