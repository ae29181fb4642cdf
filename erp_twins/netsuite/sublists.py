"""What a written sublist does to the stored lines: the rules of reference 3.4, where orders are corrupted most easily."""

from __future__ import annotations

from erp_twins.jsonio import Doc
from erp_twins.netsuite.schema import Sublist


def merged(sublist: Sublist, stored: list[Doc], sent: list[Doc] | None, *, replace: bool) -> list[Doc]:
    """The lines after a write. `sent` None empties the sublist.

    Lines whose keys match are updated, others are added; stored lines that were not named stay, unless `replace` is set.
    """
    if sent is None:
        return []
    rows = [dict(line) for line in stored]
    named: set[int] = set()
    for line in sent:
        place = _place(sublist, rows[: len(stored)], line)
        if place is None:
            rows.append(_without_blanks(line))
            named.add(len(rows) - 1)
        else:
            rows[place] = _without_blanks({**rows[place], **line})
            named.add(place)
    return [row for place, row in enumerate(rows) if place in named or not replace]


def _place(sublist: Sublist, stored: list[Doc], line: Doc) -> int | None:
    """Where the stored line is that a sent one means; None when it means none of them."""
    if sublist.name == "addressBook":  # either of its two ids names a line
        keys = tuple(key for key in sublist.keys if line.get(key) is not None)[:1]
    else:
        keys = sublist.keys
    if not keys or all(line.get(key) is None for key in keys):
        return None
    same = (n for n, row in enumerate(stored) if all(row.get(key) == line.get(key) for key in keys))
    return next(same, None)


def _without_blanks(line: Doc) -> Doc:
    return {name: value for name, value in line.items() if value is not None}


def merged_body(stored: Doc, changes: Doc) -> Doc:
    """Body fields after a write: what was not sent stays, null clears."""
    return _without_blanks({**stored, **changes})
