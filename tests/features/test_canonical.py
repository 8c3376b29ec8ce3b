"""Raw rows in Leadlight's own types."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.canonical import canonical, typed_events
from features.duck import connect
from features.sources import Raw
from leadlight.schema import DAY, HOUR, MINUTE
from tests.builders import moment, site_at
from tests.features.raw_builders import LEAD, SITE, events, leads, school_raw

T = moment("2025-03-02 10:00", 8 * HOUR)
"""2025-03-02 10:00 in China."""


def read(folder: Path, name: str, **sources: str) -> list[dict[str, Any]]:
    """One canonical table of the school, ordered by all its columns."""
    raw, site, catalogue = school_raw(folder, **sources)
    table = getattr(canonical(raw, site, catalogue), name)
    rows: list[dict[str, Any]] = table.order_by(table.columns).to_pyarrow().to_pylist()
    return rows


def event_at(at: str, arrived_at: str = "NULL", kind: str = "order") -> str:
    """A query of one event at a moment written in SQL."""
    return events(f"('E1', 'L1', '{kind}', {at}, {arrived_at}, NULL, NULL, NULL)")


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("TIMESTAMP '2025-03-02 10:00'", T),
        ("TIMESTAMP_S '2025-03-02 10:00'", T),
        ("TIMESTAMP_NS '2025-03-02 10:00:00.000001999'", T + 1),
        ("TIMESTAMPTZ '2025-03-02 03:00:00+01'", T),
        ("DATE '2025-03-02'", T - 10 * HOUR),
        ("'2025-03-02 10:00'", T),
        ("'2025-03-02T10:00:00.000001'", T + 1),
        ("'2025-03-02T02:00:00Z'", T),
        ("'2025-03-02 05:00:00-05:00'", T + 8 * HOUR),
        ("'2025-03-02'", T - 10 * HOUR),
    ],
)
def test_a_moment_is_local_unless_it_has_a_zone(tmp_path: Path, written: str, means: int) -> None:
    """Naive times and dates are those of the site's fixed offset, zoned ones absolute; all end as microseconds."""
    (row,) = read(tmp_path, "events", events_sql=event_at(written))

    assert row["at"] == means


@given(
    offset=st.integers(-14 * 60, 14 * 60),
    moments=st.lists(st.datetimes(dt.datetime(1902, 1, 1), dt.datetime(2200, 1, 1)), min_size=1, max_size=20),  # noqa: DTZ001  local times
)
@settings(max_examples=25)
def test_local_moments_follow_the_fixed_offset(offset: int, moments: list[dt.datetime]) -> None:
    """Any local time, before 1970 too, is its UTC time moved by the offset, to the microsecond."""
    zone = dt.timezone(dt.timedelta(minutes=offset))
    sign = "-" if offset < 0 else "+"
    at = site_at(f"{sign}{abs(offset) // 60:02}:{abs(offset) % 60:02}")
    backend = connect()
    backend.con.execute('CREATE TABLE raw_events (event_id VARCHAR, lead_id VARCHAR, kind VARCHAR, "at" TIMESTAMP)')
    backend.con.executemany(
        "INSERT INTO raw_events VALUES (?, 'L1', 'order', ?)", [(f"{n:02}", each) for n, each in enumerate(moments)]
    )
    given_events = backend.table("raw_events")

    typed = typed_events(Raw(backend, given_events, given_events), at).order_by("event_id").to_pyarrow()

    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    expected = [(each.replace(tzinfo=zone) - epoch) // dt.timedelta(microseconds=1) for each in moments]
    assert typed["at"].to_pylist() == expected


def test_a_declared_delay_stands_in_for_an_unrecorded_arrival(tmp_path: Path) -> None:
    """A view without arrival is known six hours later, as its kind declares; an order at once."""
    at = "TIMESTAMP '2025-03-02 10:00'"

    (view,) = read(tmp_path / "view", "events", events_sql=event_at(at, kind="view"))
    (order,) = read(tmp_path / "order", "events", events_sql=event_at(at))
    (recorded,) = read(tmp_path / "known", "events", events_sql=event_at(at, "TIMESTAMP '2025-03-02 10:01'", "view"))

    assert (view["arrived_at"], order["arrived_at"], recorded["arrived_at"]) == (T + 6 * HOUR, T, T + MINUTE)


def test_a_correction_ends_what_it_corrects(tmp_path: Path) -> None:
    """Each version holds until the next one arrives; an identical delivery is no version."""
    at = "TIMESTAMP '2025-03-02 10:00'"
    first, second, third = (f"TIMESTAMP '2025-03-0{day} 10:00'" for day in (3, 4, 5))

    versions = read(
        tmp_path,
        "events",
        events_sql=events(
            f"('E1', 'L1', 'order', {at}, {third}, 300, NULL, NULL)",
            f"('E1', 'L1', 'order', {at}, {first}, 100, NULL, NULL)",
            f"('E1', 'L1', 'order', {at}, {first}, 100, NULL, NULL)",
            f"('E1', 'L1', 'order', {at}, {second}, 200, NULL, NULL)",
        ),
    )

    assert [(row["amount"], row["until"]) for row in versions] == [(100, T + 2 * DAY), (200, T + 3 * DAY), (300, None)]


def test_blank_text_and_not_a_number_are_missing(tmp_path: Path) -> None:
    """Empty and white texts, the full-width blank too, and NaN mean that nothing was given."""
    blanks = ["", " ", "\u3000"]
    blank = [f"('L{n}', DATE '2025-03-01', 'sem', '{text}', 'nan'::DOUBLE)" for n, text in enumerate(blanks)]

    rows = read(tmp_path, "attributes", leads_sql=leads(*blank))

    assert [(row["city"], row["budget"]) for row in rows] == [(None, None)] * 3


def test_versions_come_apart_from_the_lead(tmp_path: Path) -> None:
    """The lead keeps the channel it came by and shows its newest contact, masked; a version keeps its own values."""
    columns = 'lead_id, created_at, channel, city, budget, "at", arrived_at, phone'
    created = "TIMESTAMP '2025-03-02 10:00'"
    sources = {
        "leads_sql": leads(
            f"('L1', {created}, 'app', 'Wuhan', 7, TIMESTAMP '2025-03-03 10:00', NULL, '13912345678')",
            f"('L1', {created}, 'sem', NULL, NULL, {created}, TIMESTAMP '2025-03-02 11:00', '15112348109')",
            columns=columns,
        )
    }

    (person,) = read(tmp_path, "leads", **sources)
    first, second = read(tmp_path, "attributes", **sources)

    assert person == {
        "lead_id": "L1",
        "created_at": T,
        "known_at": T + HOUR,
        "channel": "sem",
        "contact": "139****5678",
    }
    assert (first["at"], first["arrived_at"], first["channel"], first["budget"]) == (T, T + HOUR, "sem", None)
    assert (second["at"], second["arrived_at"], second["channel"], second["budget"]) == (T + DAY, T + DAY, "app", 7.0)
    assert first["until"] is second["until"] is None


def test_a_correction_ends_the_version_it_corrects(tmp_path: Path) -> None:
    """A version with the same at is known until the next of it arrives; what holds from another moment is no matter."""
    columns = 'lead_id, created_at, channel, city, budget, "at", arrived_at'
    created, later = "TIMESTAMP '2025-03-02 10:00'", "TIMESTAMP '2025-03-05 10:00'"
    told = [(created, created, "Wuhan"), (created, later, "Beijing"), (later, later, "Wuhan")]
    sources = leads(
        *(f"('L1', {created}, 'sem', '{city}', 1, {at}, {arrived})" for at, arrived, city in told), columns=columns
    )

    rows = read(tmp_path, "attributes", leads_sql=sources)

    assert [(row["at"], row["arrived_at"], row["until"], row["city"]) for row in rows] == [
        (T, T, T + 3 * DAY, "Wuhan"),
        (T, T + 3 * DAY, None, "Beijing"),
        (T + 3 * DAY, T + 3 * DAY, None, "Wuhan"),
    ]


def test_the_channel_is_the_one_first_heard(tmp_path: Path) -> None:
    """An older version that arrives later tells of another channel: nobody could know it before."""
    columns = 'lead_id, created_at, channel, city, budget, "at", arrived_at'
    created = "TIMESTAMP '2025-03-02 10:00'"
    sources = leads(
        f"('L1', {created}, 'late', NULL, 1, {created}, TIMESTAMP '2025-03-09 10:00')",
        f"('L1', {created}, 'heard', NULL, 1, TIMESTAMP '2025-03-03 10:00', TIMESTAMP '2025-03-04 10:00')",
        columns=columns,
    )

    (row,) = read(tmp_path, "leads", leads_sql=sources)

    assert (row["channel"], row["known_at"]) == ("heard", T + 2 * DAY)


def test_a_lead_without_versions_is_known_from_its_creation(tmp_path: Path) -> None:
    """Its attributes hold, and are known, from the moment it was created; numbers are floats."""
    (row,) = read(tmp_path, "attributes", leads_sql=leads(LEAD), toml=SITE)

    assert (row["at"], row["arrived_at"], row["budget"]) == (T - DAY, T - DAY, 100.5)
