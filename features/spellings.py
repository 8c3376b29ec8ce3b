"""How people and their programs write a moment: the spellings that drafts and ingested files have in common."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Final

from leadlight.schema import DAY, SECOND, Micros, to_micros

MONTH_FIRST: Final = ("%m/%d/%Y", "%m-%d-%Y")
DAY_FIRST: Final = ("%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y")
YEAR_FIRST: Final = ("%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y年%m月%d日", "%Y-%m-%d")
MONTH_NAMED: Final = ("%b %d, %Y", "%d %b %Y", "%d-%b-%Y", "%B %d, %Y", "%d %B %Y")
DAYS: Final = (MONTH_FIRST, DAY_FIRST, YEAR_FIRST, MONTH_NAMED)
"""Days by what stands first. Whether 05/06 is of May or of June only a whole column can tell."""
TIMES: Final = ("", " %H:%M:%S", " %H:%M", " %I:%M %p", " %I:%M:%S %p", " %I:%M:%S%p", "%H%M%S", " %H时%M分")
SINCE_1970: Final = {"s": (10**9, 1_000_000), "ms": (10**12, 1_000), "us": (10**15, 1)}
"""Of each unit the least number that is taken for one since 1970, and its microseconds."""
SPAN: Final = 4
"""How many times the least the greatest is: 2001 to 2096."""

_NUMBER = re.compile(r"\d+(\.\d*)?", re.ASCII)
_DIGITS = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_SERIALS = range(25_569, 100_000)
"""Spreadsheets count days since 1899-12-30: from 1970 on, in five digits."""
_SPREADSHEET = dt.datetime(1899, 12, 30, tzinfo=dt.UTC)


def read_moment(came: object, offset: Micros) -> Micros | None:
    """The moment that ``came`` says, a datetime, a text or a number; None if it says none, or not for sure.

    Without a zone it is local time at ``offset``, a day is its midnight. A number is a day (20250131), a spreadsheet's
    day, or the time since 1970, UTC. A text that begins with the day or the month in digits could mean two moments.
    """
    if isinstance(came, dt.datetime):
        return _micros(came, offset)
    text = str(came).strip()
    if isinstance(came, bool) or not text:
        return None
    if _NUMBER.fullmatch(text):
        return _of_number(text, offset)
    try:
        return _micros(dt.datetime.fromisoformat(text), offset)
    except ValueError:
        return _of_words(text, offset)


def _micros(moment: dt.datetime, offset: Micros) -> Micros:
    return to_micros(moment) if moment.tzinfo else to_micros(moment.replace(tzinfo=dt.UTC)) - offset


def _of_number(text: str, offset: Micros) -> Micros | None:
    whole, _, rest = text.partition(".")
    if len(whole) in _DIGITS and not rest.strip("0"):
        return _spelt(whole, _DIGITS[len(whole)], offset)
    if int(whole) in _SERIALS:
        seconds = round(Decimal(text) * DAY / SECOND)  # what a spreadsheet shows; its fractions of a day are inexact
        return to_micros(_SPREADSHEET) + seconds * SECOND - offset
    for least, micros in SINCE_1970.values():
        if least <= int(whole) < SPAN * least:
            return int(Decimal(text) * micros)
    return None


def _of_words(text: str, offset: Micros) -> Micros | None:
    text = " ".join(text.split())
    found = (_spelt(text, spelling, offset) for spelling in _SPELLINGS.get(_around(text), ()))
    return next((moment for moment in found if moment is not None), None)


def _spelt(text: str, spelling: str, offset: Micros) -> Micros | None:
    try:
        return _micros(dt.datetime.strptime(text, spelling), offset)  # noqa: DTZ007 - _micros gives it its zone
    except ValueError:
        return None


def _around(text: str) -> str:
    """What stands around the words and digits of a moment, which few spellings share."""
    return re.sub(r"%?[0-9A-Za-z]+", "", text.replace("%", " %")).replace(" ", "")


def _by_surroundings() -> dict[str, list[str]]:
    """The spellings, by what ``_around`` leaves of them."""
    found: dict[str, list[str]] = {}
    for day in (*YEAR_FIRST, *MONTH_NAMED):
        if day == "%Y%m%d":
            continue  # of digits alone, their number tells
        for time in TIMES:
            found.setdefault(_around(day + time), []).append(day + time)
    return found


_SPELLINGS = _by_surroundings()
