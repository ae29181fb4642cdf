"""Files into the shop's tables, through the same saves as everything else: so what changed is told, once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from erp_pipelines.commerce import customers, orders, products
from erp_pipelines.commerce.candidates import Candidate, Importable, Source, open_source
from erp_pipelines.commerce.fields import nearest
from erp_pipelines.commerce.rejects import Rejection, RejectsFile, rejects_path
from erp_pipelines.commerce.saving import Saved, require_tenant
from erp_pipelines.domain.customers import Customer
from erp_pipelines.domain.errors import PipelineError, RecordInvalid
from erp_pipelines.domain.orders import Order
from erp_pipelines.domain.products import Product
from erp_pipelines.storage.commerce import lock_entities
from erp_pipelines.storage.engine import Connection, Database

# Rows saved in one transaction: few enough that nobody waits long for a lock, enough that commits cost little.
BATCH = 200


@dataclass(frozen=True)
class Imported:
    """What an import did. `rejected` are rows of the file, `lines_rejected` of its file of order lines.

    `lines_left_over` are the places of lines that belong to orders which the file does not have.
    """

    imported: int
    unchanged: int
    rejected: tuple[Rejection, ...]
    lines_rejected: tuple[Rejection, ...]
    rejects_files: tuple[Path, ...]
    lines_left_over: tuple[int, ...] = ()

    @property
    def complete(self) -> bool:
        return not self.rejected and not self.lines_rejected


@dataclass(frozen=True)
class _Kind:
    record: type[Importable]
    save: Callable[[Connection, str, Any], Saved]


KINDS = {
    "customers": _Kind(Customer, customers.save),
    "products": _Kind(Product, products.save),
    "orders": _Kind(Order, orders.save),
}


@dataclass
class _Tally:
    imported: int = 0
    unchanged: int = 0


def run(
    db: Database, tenant_id: str, kind: str, file: Path, *, map_file: Path | None = None, lines: Path | None = None
) -> Imported:
    """Import customers, products or orders from a CSV or JSON file.

    Good rows are kept, in transactions of 200; the others go to `FILE.rejected.csv` with line and reason, beside
    the file or, where that is not writable, in the working directory. Importing the same file again changes nothing.
    Raises NotFound for an unknown tenant and RecordInvalid, before anything is written, for a file, map or
    column that cannot be used.
    """
    if kind not in KINDS:
        raise RecordInvalid(f"{kind!r} cannot be imported; the nearest that can is {nearest(kind, KINDS)!r}.")
    with db.tenant(tenant_id) as conn:
        require_tenant(conn, tenant_id)
    with ExitStack() as stack:
        source = open_source(stack, KINDS[kind].record, file, map_file, lines)
        rejects = stack.enter_context(RejectsFile(rejects_path(file), source.header))
        tally = _Tally()
        for batch in _batches(source.offers):
            _save(db, tenant_id, KINDS[kind], batch, tally, rejects)
        of_lines = _rejected_lines(stack, source)
        written = tuple(file.written for file in (rejects, of_lines) if file is not None and file.written is not None)
        return Imported(
            tally.imported,
            tally.unchanged,
            tuple(rejects.rejections),
            tuple(of_lines.rejections) if of_lines else (),
            written,
            tuple(source.lines.left_over) if source.lines else (),
        )


def _batches(offers: Iterator[Candidate | Rejection]) -> Iterator[list[Candidate | Rejection]]:
    while batch := list(islice(offers, BATCH)):
        yield batch


def _save(
    db: Database,
    tenant_id: str,
    kind: _Kind,
    batch: list[Candidate | Rejection],
    tally: _Tally,
    rejects: RejectsFile,
) -> None:
    """One transaction, each row under a savepoint. All locks are taken first, in order: imports cannot deadlock."""
    ids = [offer.record.id for offer in batch if isinstance(offer, Candidate)]
    with db.tenant(tenant_id) as conn:
        lock_entities(conn, tenant_id, kind.record.__name__, ids)
        for offer in batch:
            if isinstance(offer, Rejection):
                rejects.add(offer)
            else:
                _save_one(conn, tenant_id, kind, offer, tally, rejects)


def _save_one(
    conn: Connection, tenant_id: str, kind: _Kind, offer: Candidate, tally: _Tally, rejects: RejectsFile
) -> None:
    try:
        with conn.begin_nested():
            saved = kind.save(conn, tenant_id, offer.record)
    except PipelineError as error:
        rejects.add(Rejection(offer.line, offer.explain(error), offer.row))
        return
    tally.imported += saved.changed
    tally.unchanged += not saved.changed


def _rejected_lines(stack: ExitStack, source: Source) -> RejectsFile | None:
    if source.lines is None:
        return None
    rejects = stack.enter_context(RejectsFile(rejects_path(source.lines.path), source.lines.header))
    for rejection in source.lines.rejections:
        rejects.add(rejection)
    return rejects
