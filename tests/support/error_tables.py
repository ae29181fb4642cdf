"""The providers' tables of errors: what tests expect of each row, and the pages of the documentation made from the catalogues.

`python -m tests.support.error_tables` writes the pages anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from erp_pipelines.connectors.catalogue import catalogue
from erp_pipelines.domain.catalogue import Entry, FaultCatalogue, Treatment

ROOT = Path(__file__).parents[2]
NAMES = {"quickbooks": "QuickBooks", "netsuite": "NetSuite"}
PARTS = {"faults": "Calls", "refresh": "Renewals of the access", "consent": "Connecting"}
BECOMES = {
    Treatment.THROTTLED: "the connection pauses; no retry is spent",
    Treatment.TOKEN: "the token is renewed once, then the connection is parked",
    Treatment.RECONNECT: "the connection is parked",
    Treatment.LATER: "tried again",
    Treatment.LOST: "in doubt: looked up, then tried again",
    Treatment.STALE: "read again, written over what stands now, then tried again",
    Treatment.REJECTED: "an open error",
    Treatment.TAKEN: "adopted if it is ours, else an open error",
    Treatment.MISCONFIGURED: "the connection waits, with its grant",
    Treatment.CONSENT: "told to who connects",
}
HEAD = """# {name}: its errors, and what becomes of them

Made from the catalogue of {version} (`erp_pipelines/connectors/{provider}/catalogue.yaml`) by `./dev docs`. Owner is who can end
it: bookkeeper in {name}, admin in the settings, shop in the shop's data, provider its service, us this program. A code that
is not listed is an open error in the words of {name}, and is counted so that it can be added. An answer of 5xx never proves
that a write was not done: it is looked up.
"""


def rows(provider: str) -> list[dict[str, Any]]:
    """What must become of each row of the provider's table; the fields are told in the files."""
    text = (ROOT / "tests" / "data" / "errors" / f"{provider}.yaml").read_text(encoding="utf-8")
    return list(yaml.safe_load(text))


def page_of(provider: str) -> Path:
    return ROOT / "docs" / "providers" / f"{provider}-errors.md"


def page(provider: str) -> str:
    """The page as the catalogue has it today."""
    found = catalogue(provider)
    head = HEAD.format(name=NAMES[provider], provider=provider, version=found.version)
    return "\n".join([head, *_parts(found)]) + "\n"


def _parts(found: FaultCatalogue) -> Iterator[str]:
    for part, title in PARTS.items():
        yield from (f"## {title}", "", "| code | says | what becomes of it | cause | owner | mend |", "|" + "---|" * 6)
        entries: tuple[Entry, ...] = getattr(found, part)
        yield from (_row(entry, code) for entry in entries for code in entry.codes)
        yield ""


def _row(entry: Entry, code: str) -> str:
    cells = (code, entry.codes[code], BECOMES[entry.treatment], entry.cause, entry.owner, " ".join(entry.mend.split()))
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    for one in NAMES:
        page_of(one).write_text(page(one), encoding="utf-8")
