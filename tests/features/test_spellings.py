"""Moments as people write them: what is one for sure is read, the rest is none."""

from __future__ import annotations

import datetime as dt

import pytest

from features.spellings import read_moment
from leadlight.schema import HOUR, from_micros

CHINA = dt.timezone(dt.timedelta(hours=8))
EVENING = dt.datetime(2025, 10, 9, 18, 30, tzinfo=CHINA)
MIDNIGHT = dt.datetime(2025, 10, 9, tzinfo=CHINA)


@pytest.mark.parametrize(
    ("came", "meant"),
    [
        ("2025-10-09 18:30", EVENING),
        ("2025-10-09T10:30:00Z", EVENING),
        ("2025/10/9 18:30", EVENING),
        (" 2025/10/09  18:30:00 ", EVENING),
        ("2025年10月9日 18:30", EVENING),
        ("2025年10月09日 18时30分", EVENING),
        ("2025.10.9 06:30 PM", EVENING),
        ("Oct 9, 2025 18:30", EVENING),
        ("20251009183000", EVENING),
        ("45939.7708333", EVENING),
        (45939.7708333, EVENING),
        ("1760005800", EVENING),
        (1_760_005_800_000, EVENING),
        (EVENING, EVENING),
        (EVENING.replace(tzinfo=None), EVENING),
        ("2025-10-09", MIDNIGHT),
        ("2025/10/9", MIDNIGHT),
        ("20251009", MIDNIGHT),
        (45939, MIDNIGHT),
        (dt.date(2025, 10, 9), MIDNIGHT),
        ("1712011500000", dt.datetime(2024, 4, 1, 22, 45, tzinfo=dt.UTC)),  # not the 15th of January 1712
    ],
)
def test_a_moment_is_read_however_it_is_written(came: object, meant: dt.datetime) -> None:
    """Local where it has no zone of its own; a day is its midnight."""
    read = read_moment(came, 8 * HOUR)

    assert read is not None
    assert from_micros(read) == meant


@pytest.mark.parametrize(
    "came",
    ["", "yesterday", "10/09/2025", "9.10.2025 18:30", "2025-13-01", "2025/2/30", "7", 12.5, True, "-45939", "inf"],
)
def test_what_is_no_moment_for_sure_is_none(came: object) -> None:
    """A day before its month, or after it, can only be told by a whole column."""
    assert read_moment(came, 8 * HOUR) is None
