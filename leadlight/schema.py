"""The names and units of raw and derived columns, and the arithmetic of time. Knows no file and no library.

Every moment inside Leadlight is an ``int``: microseconds since the epoch, UTC. Amounts are ``int`` thousandths.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

Micros = int

ID_AT_MOST: Final = 200
ID_PATTERN: Final = r"[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*"
"""What the whole of a lead's or an event's id is like, whoever brings it; of so many characters at most."""
ID_WORDS: Final = f"1 to {ID_AT_MOST} characters that are not all blank, and no control characters"

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
FOREVER: Final = 253_402_300_799_000_000
"""9999-12-31T23:59:59Z: the ``valid_until`` of a row that no passing of time can change."""

THOUSANDTHS: Final = 1000

LEAD_ID: Final = "lead_id"
EVENT_ID: Final = "event_id"
CREATED_AT: Final = "created_at"
CHANNEL: Final = "channel"
CONTACT: Final = "contact"
KNOWN_AT: Final = "known_at"
CANONICAL_ID: Final = "canonical_id"
SINCE: Final = "since"
KIND: Final = "kind"
AT: Final = "at"
ARRIVED_AT: Final = "arrived_at"
UNTIL: Final = "until"
AMOUNT: Final = "amount"
AS_OF: Final = "as_of"
VALID_UNTIL: Final = "valid_until"
LABEL: Final = "label"
NOT_RECORDED: Final = "not_recorded"

SPLIT: Final = "split"

CONTACTS: Final = ("phone", "wechat", "email", "device")
LEAD_COLUMNS: Final = (LEAD_ID, CREATED_AT, CHANNEL)
EVENT_COLUMNS: Final = (EVENT_ID, LEAD_ID, KIND, AT, ARRIVED_AT, AMOUNT)

CONTEXT_KEY: Final = "context_key"
CLOSED_AT: Final = "closed_at"
EVERYBODY: Final = "all"
"""The context key of what everybody did; every other key is a channel."""

ROW_AS_OF: Final = "row_as_of"
"""A lead row's ``as_of`` once more as microseconds: a value of the row, so a join cannot exchange it unseen."""
ROW_CLOSED_AT: Final = "row_closed_at"
ROW_SEQ: Final = "row_seq"
"""The log sequence that an online row's facts were read at: rows of one lead are ordered by it, then by ``as_of``."""

RESERVED: Final = (
    LEAD_ID,
    AS_OF,
    ROW_AS_OF,
    ROW_SEQ,
    VALID_UNTIL,
    LABEL,
    SPLIT,
    CONTEXT_KEY,
    CLOSED_AT,
    ROW_CLOSED_AT,
)
"""What no feature, label or attribute may be called: the columns that stand beside them in one table."""

LEAD_CREATED: Final = "lead_created"
"""The kind that context features use to count new leads; no event of a source may carry it."""


def to_micros(moment: dt.datetime) -> Micros:
    """Microseconds since the epoch of an aware ``moment``, exactly."""
    return (moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)


def from_micros(moment: Micros) -> dt.datetime:
    """The aware UTC datetime of ``moment``."""
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=moment)


def local_day(moment: Micros, offset: Micros) -> int:
    """The number of the local day that holds ``moment``, counted from 1970-01-01 in the fixed ``offset``."""
    return (moment + offset) // DAY


def midnight(day: int, offset: Micros) -> Micros:
    """The moment at which local day ``day`` begins."""
    return day * DAY - offset


def day_number(date: dt.date) -> int:
    """The local day number of a calendar ``date``."""
    return date.toordinal() - dt.date(1970, 1, 1).toordinal()
