"""Oracle's format models of dates: TO_CHAR and TO_DATE. Names are English; weeks begin on Sunday."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache

from erp_twins.netsuite.suiteql.model import unsupported

_MONTHS = "January February March April May June July August September October November December".split()
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_MODEL = re.compile(
    r"""(?P<text>"[^"]*")|(?P<fill>FM)|(?P<element>
    IYYY|YYYY|RRRR|YYY|YY|RR|Y|MONTH|MON|MM|MI|DDD|DD|DAY|DY|D|HH24|HH12|HH|SSSSS|SS|FF[1-9]?|[AP]\.M\.|[AP]M|Q|WW|IW|W)
    |(?P<mark>[-/,.;:\s]+)""",
    re.VERBOSE | re.IGNORECASE,
)
_RAW_TIME = " FMHHFM:MI am"  # as in 3:04 pm

# What an element shows, and its width with leading zeros; 0 for words.
_SHOWN: dict[str, tuple[Callable[[datetime], int | str], int]] = {
    "YYYY": (lambda at: at.year, 4),
    "RRRR": (lambda at: at.year, 4),
    "IYYY": (lambda at: at.isocalendar().year, 4),
    "YYY": (lambda at: at.year % 1000, 3),
    "YY": (lambda at: at.year % 100, 2),
    "RR": (lambda at: at.year % 100, 2),
    "Y": (lambda at: at.year % 10, 1),
    "Q": (lambda at: (at.month + 2) // 3, 1),
    "MM": (lambda at: at.month, 2),
    "MONTH": (lambda at: f"{_MONTHS[at.month - 1]:9}", 0),
    "MON": (lambda at: _MONTHS[at.month - 1][:3], 0),
    "WW": (lambda at: (at.timetuple().tm_yday + 6) // 7, 2),
    "IW": (lambda at: at.isocalendar().week, 2),
    "W": (lambda at: (at.day + 6) // 7, 1),
    "DDD": (lambda at: at.timetuple().tm_yday, 3),
    "DD": (lambda at: at.day, 2),
    "D": (lambda at: at.isoweekday() % 7 + 1, 1),
    "DAY": (lambda at: f"{_DAYS[at.weekday()]:9}", 0),
    "DY": (lambda at: _DAYS[at.weekday()][:3], 0),
    "HH24": (lambda at: at.hour, 2),
    "HH12": (lambda at: (at.hour + 11) % 12 + 1, 2),
    "HH": (lambda at: (at.hour + 11) % 12 + 1, 2),
    "MI": (lambda at: at.minute, 2),
    "SS": (lambda at: at.second, 2),
    "SSSSS": (lambda at: at.hour * 3600 + at.minute * 60 + at.second, 5),
    "AM": (lambda at: "PM" if at.hour > 11 else "AM", 0),
    "A.M.": (lambda at: "P.M." if at.hour > 11 else "A.M.", 0),
    "FF": (lambda _: 0, 6),
}
# What an element of TO_DATE takes.
_READ = {
    **dict.fromkeys(("YYYY", "RRRR"), r"\d{1,4}"),
    **dict.fromkeys(("YY", "RR", "MM", "DD", "HH24", "HH12", "HH", "MI", "SS"), r"\d{1,2}"),
    "FF": r"\d{1,9}",
    "MON": "|".join(month[:3] for month in _MONTHS),
    "MONTH": "|".join(_MONTHS),
    "AM": "[AP]M",
    "A.M.": r"[AP]\.M\.",
}


def account_model(date_format: str) -> str:
    """An account's date preference, such as D-Mon-YYYY, as a format model: single letters have no leading zero."""
    model = re.sub(r"(?<![A-Za-z])([MD])(?![A-Za-z])", r"FM\1\1FM", date_format)
    return re.sub(r"(?i)month", r"FM\g<0>FM", model)


def with_time(model: str) -> str:
    return model + _RAW_TIME


@lru_cache(maxsize=256)
def _pieces(model: str) -> tuple[tuple[str, str], ...]:
    """Kind and text of each piece: element, mark, text or fill."""
    found, at = [], 0
    while at < len(model):
        match = _MODEL.match(model, at)
        if match is None:
            raise unsupported()
        found.append((match.lastgroup or "", match[0]))
        at = match.end()
    return tuple(found)


def _element(text: str) -> str:
    """The element's name in the tables above."""
    name = text.upper().replace("P.M.", "A.M.").replace("PM", "AM")
    return "FF" if name.startswith("FF") else name


@lru_cache(maxsize=1 << 16)
def to_char(moment: datetime, model: str) -> str:
    """The moment as the model writes it; a model that Oracle's elements do not make up is refused."""
    shown, fill = [], True
    for kind, text in _pieces(model):
        if kind == "fill":
            fill = not fill
        elif kind == "element":
            shown.append(_show(moment, text, fill))
        else:
            shown.append(text.strip('"'))
    return "".join(shown)


def _show(moment: datetime, text: str, fill: bool) -> str:
    show, width = _SHOWN[_element(text)]
    value = show(moment)
    if isinstance(value, int):
        width = int(text[2:] or 6) if _element(text) == "FF" else width
        return f"{value:0{width}d}" if fill else str(value)
    return _cased(value if fill else value.rstrip(), text)


def _cased(word: str, pattern: str) -> str:
    if pattern.islower():
        return word.lower()
    return word if pattern[1:].islower() else word.upper()


@lru_cache(maxsize=256)
def _reader(model: str) -> re.Pattern[str]:
    """Recognises texts of the model; any punctuation stands for any other, as in Oracle."""
    parts, seen = [], set()
    for kind, text in _pieces(model):
        name = _element(text)
        if kind == "element":
            if name not in _READ or name in seen:
                raise unsupported()
            seen.add(name)
            parts.append(f"(?P<{name.replace('.', '_')}>{_READ[name]})")
        elif kind != "fill":
            parts.append(rf"[-/,.;:\s]{{{len(text)}}}" if kind == "mark" else re.escape(text.strip('"')))
    return re.compile("".join(parts), re.IGNORECASE)


@lru_cache(maxsize=1 << 12)
def to_date(text: str, model: str) -> datetime:
    """The moment that the text names; one that does not fit the model, or is not in the calendar, is refused."""
    match = _reader(model).fullmatch(text)
    if match is None:
        raise unsupported()
    parts = match.groupdict()
    try:
        day = datetime(_year(parts), _month(parts), int(parts.get("DD") or 1))  # noqa: DTZ001 - SuiteQL has no zones
        return day + _time(parts)
    except ValueError as error:
        raise unsupported() from error


def _year(parts: dict[str, str]) -> int:
    if year := parts.get("YYYY") or parts.get("RRRR"):
        return int(year)
    if year := parts.get("RR") or parts.get("YY"):
        return 2000 + int(year) - (100 if "RR" in parts and int(year) >= 50 else 0)
    raise unsupported()  # Oracle takes the running year: no query should


def _month(parts: dict[str, str]) -> int:
    if month := parts.get("MM"):
        return int(month)
    name = parts.get("MONTH") or parts.get("MON")
    if name is None:
        raise unsupported()
    return [month[:3].lower() for month in _MONTHS].index(name[:3].lower()) + 1


def _time(parts: dict[str, str]) -> timedelta:
    hour, minute, second = _hour(parts), int(parts.get("MI") or 0), int(parts.get("SS") or 0)
    if hour > 23 or minute > 59 or second > 59:
        raise unsupported()
    return timedelta(hours=hour, minutes=minute, seconds=second)


def _hour(parts: dict[str, str]) -> int:
    if "HH24" in parts:
        return int(parts["HH24"])
    twelve = int(parts.get("HH") or parts.get("HH12") or 12)
    if not 1 <= twelve <= 12:
        raise unsupported()
    meridian = parts.get("AM") or parts.get("A_M_") or "AM"
    return twelve % 12 + (12 if meridian[0].upper() == "P" else 0)


def from_account(text: str, date_format: str) -> datetime:
    """A text compared with a date: in the account's format, with or without the time."""
    model = account_model(date_format)
    return to_date(text, model if _reader(model).fullmatch(text) else with_time(model))
