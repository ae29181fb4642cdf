"""Day one from the command line: which of the ERP's customers and products stands for which of the shop's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.cli.context import runtime
from erp_pipelines.delivery import matching
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.storage import questions
from erp_pipelines.storage.questions import Question

PAGE = 200


def match(
    provider: Annotated[str, typer.Argument(help="quickbooks or netsuite")],
    tenant: Annotated[str, typer.Option(help="The tenant's id.")],
) -> None:
    """Before the first sync: bind what stands there for certain, without a write, and list what a person must decide.

    May be repeated. The questions are answered in the console or over the API; what they are about waits.
    """
    key = ConnectionKey(tenant, provider)
    with runtime() as parts:
        found = matching.run(parts, key)
        asked = list(_open(parts, key))
    for kind, counts in found.items():
        typer.echo(f"{key}: {kind}: {counts.bound} bound · {counts.asked} asked · {counts.new} new")
    for question in asked:
        typer.echo(f"  {question.entity_type} {question.entity_id} ({question.name}): {_candidates(question)}?")


def _open(parts: Runtime, key: ConnectionKey) -> Iterator[Question]:
    after: tuple[str, str] | None = None
    while True:
        with parts.db.tenant(key.tenant_id) as conn:
            page = questions.page(conn, key, decided=False, after=after, limit=PAGE)
        yield from page
        if len(page) < PAGE:
            return
        after = (page[-1].entity_type, page[-1].entity_id)


def _candidates(question: Question) -> str:
    return " or ".join(f"{one['name']} ({one['id']}, {one['reason']})" for one in question.candidates)
