"""The account's time zone: SuiteQL shows moments without one, records in UTC, so one read both ways tells the offset.

A zone is only proven by records of both halves of the year: until then it may be one that changes its clocks otherwise.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

FORMAT = "%Y-%m-%d %H:%M:%S"
SQL_FORMAT = "YYYY-MM-DD HH24:MI:SS"
_QUARTER = 900
# Tried in this order after the one that is expected; the first that fits all samples is taken.
_USUAL = """
America/Los_Angeles America/Denver America/Phoenix America/Chicago America/New_York America/Halifax America/Sao_Paulo UTC
Europe/London Europe/Berlin Europe/Athens Europe/Istanbul Asia/Dubai Asia/Kolkata Asia/Singapore Asia/Tokyo
Australia/Brisbane Australia/Sydney Pacific/Auckland
""".split()


@dataclass(frozen=True)
class Zone:
    """A zone by its IANA name. `proven`: its changes of the clocks are the account's for certain."""

    name: str
    proven: bool

    @property
    def info(self) -> ZoneInfo:
        return ZoneInfo(self.name)

    def local(self, moment: dt.datetime) -> dt.datetime:
        """What the account's clock shows then, without a zone."""
        return moment.astimezone(self.info).replace(tzinfo=None, fold=0)

    def offset(self, shown: dt.datetime) -> dt.timedelta:
        """Of a moment that the account's clock shows; of one that it shows twice, the first time."""
        return shown.replace(tzinfo=self.info, fold=0).utcoffset() or dt.timedelta()

    def moment(self, shown: dt.datetime, now: dt.datetime) -> dt.datetime:
        """When the account's clock showed that, in UTC; of two such moments the later one, unless that is yet to come."""
        later = shown.replace(tzinfo=self.info, fold=1).astimezone(dt.UTC)
        if later <= now:
            return later
        return shown.replace(tzinfo=self.info, fold=0).astimezone(dt.UTC)


@dataclass(frozen=True)
class Sample:
    """One moment read both ways."""

    utc: dt.datetime
    shown: dt.datetime

    @property
    def usable(self) -> bool:
        """A record that was saved between the two reads has no offset that a zone could have."""
        return self._difference % dt.timedelta(seconds=_QUARTER) == dt.timedelta()

    @property
    def _difference(self) -> dt.timedelta:
        return self.shown - self.utc.replace(tzinfo=None)

    def fits(self, zone: ZoneInfo) -> bool:
        return self.utc.astimezone(zone).utcoffset() == self._difference


def zone_of(samples: Sequence[Sample], expected: str) -> Zone:
    """The first zone that fits all usable samples; the expected one, unproven, where none is usable or none fits."""
    usable = [sample for sample in samples if sample.usable]
    names = [expected, *(name for name in _USUAL if name != expected)]
    fitting = next((name for name in names if all(sample.fits(ZoneInfo(name)) for sample in usable)), None)
    if not usable or fitting is None:
        return Zone(expected, proven=False)
    return Zone(fitting, proven={_winter(sample.utc) for sample in usable} == {True, False})


def _winter(moment: dt.datetime) -> bool:
    """Whether no clock of the northern half is put forward then, nor any of the southern half back."""
    return moment.month in {11, 12, 1, 2}


def parse(text: str) -> dt.datetime:
    """A moment as SQL_FORMAT shows it."""
    return dt.datetime.strptime(text, FORMAT)  # noqa: DTZ007 - it has no zone


def show(moment: dt.datetime) -> str:
    return moment.strftime(FORMAT)
