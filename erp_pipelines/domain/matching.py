"""Which of an ERP's customers or products is which of ours: certain, to be asked about, or none. Pure.

Certain is only what two people would agree on without asking; everything that looks alike is a question.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

# Shared trigrams, as a share of what both names have: a letter or two may be wrong.
ALIKE = 0.7
# One name within the other, where it is long enough to say something: words may be added.
WITHIN, SAYING = 0.9, 8
MOST_CANDIDATES = 5
_NO_WORD = re.compile(r"[^\w]+|_")
# Forms of companies: "Acme Ltd" and "Acme Limited" look alike, and are not certainly the same.
_FORMS = frozenset("ag bv co company corp corporation gmbh inc incorporated limited llc ltd plc sa sarl srl".split())
Reason = Literal["sku", "name", "email", "similar"]
REASONS: tuple[Reason, ...] = ("sku", "name", "email", "similar")


@dataclass(frozen=True)
class Named:
    """A customer or product on either side. `id` is the side's own."""

    id: str
    name: str
    email: str | None = None
    sku: str | None = None
    active: bool = True


@dataclass(frozen=True)
class Candidate:
    """One of the ERP's that may be ours; `likeness` is of the names, from 0 to 1."""

    id: str
    name: str
    reason: Reason
    likeness: float


@dataclass(frozen=True)
class Match:
    """What was found for one of ours. `certain` is the ERP's id; without it, the candidates are a question, or none."""

    id: str
    certain: str | None
    candidates: tuple[Candidate, ...] = ()


def match(ours: Sequence[Named], theirs: Sequence[Named]) -> list[Match]:
    """In the order of `ours`. One of theirs is certain for one of ours at most: who share it are asked about.

    What is certain for one of ours is no candidate of another: it could not be chosen.
    """
    index = _Index.of(theirs)
    found = [_match(one, index) for one in ours]
    claims = Counter(one.certain for one in found if one.certain)
    return [one if one.certain and claims[one.certain] == 1 else _question(one, claims) for one in found]


def _question(one: Match, claims: Mapping[str, int]) -> Match:
    return Match(one.id, None, tuple(other for other in one.candidates if claims.get(other.id) != 1))


def plain(name: str) -> str:
    """The name without case, accents, punctuation and outer blanks."""
    bare = "".join(char for char in unicodedata.normalize("NFKD", name) if not unicodedata.combining(char))
    return _NO_WORD.sub(" ", bare.casefold()).strip()


@dataclass
class _Index:
    """Theirs by what ours may share with them."""

    by_id: dict[str, Named] = field(default_factory=dict)
    by_name: defaultdict[str, list[Named]] = field(default_factory=lambda: defaultdict(list))
    by_email: defaultdict[str, list[Named]] = field(default_factory=lambda: defaultdict(list))
    by_sku: defaultdict[str, list[Named]] = field(default_factory=lambda: defaultdict(list))
    by_trigram: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    trigrams: dict[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, theirs: Iterable[Named]) -> _Index:
        index = cls()
        for one in theirs:
            index.by_id[one.id] = one
            index.by_name[plain(one.name)].append(one)
            index.by_email[_folded(one.email)].append(one)
            index.by_sku[_folded(one.sku)].append(one)
            index.trigrams[one.id] = _trigrams(one.name)
            for trigram in index.trigrams[one.id]:
                index.by_trigram[trigram].add(one.id)
        return index


def _match(one: Named, index: _Index) -> Match:
    skus = index.by_sku[_folded(one.sku)] if one.sku else []
    names = [other for other in index.by_name[plain(one.name)] if not _differ(one.sku, other.sku)]
    emails = index.by_email[_folded(one.email)] if one.email else []
    candidates = _candidates(one, index, {"sku": skus, "name": names, "email": emails})
    certain = _only(skus) or _only([other for other in names if not _differ(one.email, other.email)])
    if skus and names and certain and certain not in {other.id for other in names}:
        certain = None  # its number says one thing, its name another
    alone = len(names) <= 1 and len(skus) <= 1
    return Match(one.id, certain if alone else None, candidates)


def _only(found: Sequence[Named]) -> str | None:
    return found[0].id if len(found) == 1 and found[0].active else None


def _candidates(one: Named, index: _Index, found: Mapping[Reason, Sequence[Named]]) -> tuple[Candidate, ...]:
    """The best reason for each, the best first."""
    mine, reasons = _trigrams(one.name), dict[str, Reason]()
    for reason, others in found.items():
        for other in others:
            reasons.setdefault(other.id, reason)
    for ident in _near(mine, index):
        if not _differ(one.sku, index.by_id[ident].sku):
            reasons.setdefault(ident, "similar")
    told = [
        Candidate(ident, index.by_id[ident].name, why, round(_likeness(mine, index.trigrams[ident]), 2))
        for ident, why in reasons.items()
    ]
    return tuple(sorted(told, key=lambda one: (REASONS.index(one.reason), -one.likeness, one.id))[:MOST_CANDIDATES])


def _near(mine: frozenset[str], index: _Index) -> list[str]:
    """Those that look alike, of the ones that share enough to be looked at."""
    shared = Counter(ident for trigram in mine for ident in index.by_trigram[trigram])
    often = [ident for ident, count in shared.items() if 2 * count >= min(len(mine), SAYING)]
    return [ident for ident in often if _likeness(mine, index.trigrams[ident]) >= ALIKE]


def _likeness(mine: frozenset[str], theirs: frozenset[str]) -> float:
    """From 0 to 1. A name that is all within the other says more than one that shares most of its letters."""
    shared, shorter = len(mine & theirs), min(len(mine), len(theirs))
    if not shared:
        return 0.0
    within = shared >= WITHIN * shorter and shorter >= SAYING
    return max(2 * shared / (len(mine) + len(theirs)), WITHIN if within else 0.0)


def _differ(one: str | None, other: str | None) -> bool:
    """Both are there, and are not the same."""
    return bool(one and other) and _folded(one) != _folded(other)


def _folded(text: str | None) -> str:
    return (text or "").strip().casefold()


def _trigrams(name: str) -> frozenset[str]:
    """Of each word, with its beginning and end, whatever the order of the words. Forms of companies count for nothing."""
    words = [word for word in plain(name).split() if word not in _FORMS] or plain(name).split()
    padded = [f"  {word} " for word in words]
    return frozenset(word[at : at + 3] for word in padded for at in range(len(word) - 2))
