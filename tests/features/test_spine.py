"""Which lead is looked at when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.duck import connect
from features.history import LeadFacts
from features.spine import open_leads, training_spine
from leadlight.schema import DAY, HOUR, MINUTE, Micros, from_micros
from leadlight.settings import WEEKDAYS, Site, Target
from tests.builders import corrected, create_tables, event, lead, moment, site, site_at

CHINA = 8 * HOUR
END = moment("2025-06-01 00:00")


def target(observe: dict[str, object], **more: object) -> Target:
    """A target that looks at leads by ``observe``."""
    gate = {"precision": 0.3, "recall": 0.2}
    return Target.model_validate({"outcome": ["order"], "horizon": "30d", "gate": gate, "observe": observe, **more})


def looked_at(
    asked: Target, leads: Sequence[LeadFacts], at: Site | None = None, end: Micros = END
) -> list[tuple[str, Micros]]:
    """The pairs of lead and moment of a training spine, in order."""
    at = at or site()
    tables = create_tables(connect(), at, leads)
    rows = training_spine(at, asked, tables, end=end).to_pyarrow().to_pylist()
    channels = {one.lead_id: one.channel for one in leads}
    assert all(row["channel"] == channels[row["lead_id"]] for row in rows)
    return sorted((row["lead_id"], row["as_of"]) for row in rows)


def open_at(asked: Target, leads: Sequence[LeadFacts], as_of: Micros) -> list[str]:
    """The leads that are open at ``as_of``."""
    rows = open_leads(asked, create_tables(connect(), site(), leads), as_of=as_of).to_pyarrow().to_pylist()
    assert all(row["as_of"] == as_of for row in rows)
    return sorted(row["lead_id"] for row in rows)


def test_offsets_count_from_creation() -> None:
    """Offset 0 is one microsecond later; two offsets that say the same are one; after the end there is no row yet."""
    asked = target({"offsets": ["0s", "7d", "1w", "30d"]})

    assert looked_at(asked, [lead("a", created_at=DAY)], end=8 * DAY) == [("a", DAY + 1), ("a", 8 * DAY)]
    assert looked_at(asked, [lead("a", created_at=DAY)], end=8 * DAY - 1) == [("a", DAY + 1)]


def test_a_cadence_looks_at_local_midnights() -> None:
    """Every Monday at midnight in China, from the first after creation to the last within the lead's youth."""
    asked = target({"every": "monday", "until": "14d"})
    monday = moment("2025-03-03 00:00", CHINA)

    assert looked_at(asked, [lead("a", created_at=monday - 1)]) == [("a", monday), ("a", monday + 7 * DAY)]
    assert looked_at(asked, [lead("a", created_at=monday)]) == [("a", monday + 7 * DAY), ("a", monday + 14 * DAY)]


def test_from_and_to_are_inclusive_local_dates() -> None:
    """The midnights of both dates belong to the schedule, and so does the whole last day for offsets."""
    observe = {"from": dt.date(2025, 3, 10), "to": dt.date(2025, 3, 12)}
    created = moment("2025-03-01 12:00", CHINA)
    midnights = [moment(f"2025-03-{day} 00:00", CHINA) for day in (10, 11, 12)]

    daily = looked_at(target({"every": "day", "until": "60d", **observe}), [lead("a", created_at=created)])
    offsets = looked_at(target({"offsets": ["8d", "11d", "12d"], **observe}), [lead("a", created_at=created)])

    assert [as_of for _, as_of in daily] == midnights
    assert offsets == [("a", created + 11 * DAY)]


def test_a_population_needs_what_was_known_then() -> None:
    """An event that had not arrived, was corrected away, or happens at that very moment, does not let a lead in."""
    asked = target({"offsets": ["2d"]}, population={"has": ["login", "payment"]})
    paid = event("payment", HOUR)
    gone = corrected(event("login", HOUR, event_id="x"), event("page_view", HOUR, event_id="x", arrived_at=DAY))

    leads = [
        lead("in", events=[paid, event("login", 2 * DAY - 1)]),
        lead("late", events=[paid, event("login", HOUR, arrived_at=2 * DAY + 1)]),
        lead("just", events=[paid, event("login", HOUR, arrived_at=2 * DAY)]),
        lead("now", events=[paid, event("login", 2 * DAY)]),
        lead("gone", events=[paid, *gone]),
        lead("half", events=[paid]),
    ]

    assert looked_at(asked, leads) == [("in", 2 * DAY), ("just", 2 * DAY)]


def test_open_leads_exist_belong_and_are_not_known_to_have_converted() -> None:
    """A conversion closes a lead when it is known; a revoked one opens it again."""
    asked = target({"offsets": ["7d"]})
    revoked = corrected(event("order", HOUR, event_id="x"), event("page_view", HOUR, event_id="x", arrived_at=DAY))
    leads = [
        lead("fresh", created_at=2 * DAY - 1),
        lead("unborn", created_at=2 * DAY),
        lead("bought", events=[event("order", HOUR)]),
        lead("unknown", events=[event("order", HOUR, arrived_at=2 * DAY + 1)]),
        lead("revoked", events=revoked),
    ]

    assert open_at(asked, leads, 2 * DAY) == ["fresh", "revoked", "unknown"]
    assert open_at(asked, leads, 2 * DAY + 1) == ["fresh", "revoked", "unborn"]


def test_nobody_looks_at_a_lead_before_it_is_known() -> None:
    """A lead that is heard of days after its creation has no row before, by offset, calendar or at the clock."""
    late = lead("late", known_at=2 * DAY)

    assert looked_at(target({"offsets": ["1d", "2d"]}), [late], end=3 * DAY) == [("late", 2 * DAY)]
    assert looked_at(target({"every": "day", "until": "60d"}), [late], site_at("+00:00"), end=3 * DAY) == [
        ("late", 2 * DAY),
        ("late", 3 * DAY),
    ]
    assert open_at(target({"offsets": ["7d"]}), [late], 2 * DAY - 1) == []
    assert open_at(target({"offsets": ["7d"]}), [late], 2 * DAY) == ["late"]


def test_what_a_population_lacks_may_differ_from_the_outcome() -> None:
    """Renewal is asked of leads that have paid and not yet complained; ordering again closes nothing."""
    asked = target({"offsets": ["7d"]}, population={"has": ["payment"], "lacks": ["login"]})
    paid = event("payment", HOUR)
    leads = [
        lead("paid", events=[paid]),
        lead("ordered", events=[paid, event("order", HOUR)]),
        lead("out", events=[paid, event("login", HOUR)]),
        lead("unpaid"),
    ]

    assert open_at(asked, leads, DAY) == ["ordered", "paid"]


def test_no_lead_no_row() -> None:
    """An empty history has an empty spine, by offsets and by calendar."""
    assert looked_at(target({"offsets": ["7d"]}), []) == []
    assert looked_at(target({"every": "day", "until": "60d"}), []) == []


@pytest.mark.parametrize("every", ["day", "monday", "sunday"])
@given(
    created=st.lists(st.integers(-40 * 24 * 60, 20 * 24 * 60), min_size=1, max_size=15),
    offset=st.integers(-12 * 4, 14 * 4),
    until=st.integers(1, 20 * 24),
)
@settings(max_examples=8)
def test_a_cadence_agrees_with_the_calendar(every: str, created: list[int], offset: int, until: int) -> None:
    """Around 1970, in any offset: exactly those midnights that Python's own calendar finds, minute by minute of age."""
    at = site_at(f"{'-' if offset < 0 else '+'}{abs(offset) // 4:02}:{abs(offset) % 4 * 15:02}")
    leads = [lead(f"{n:02}", created_at=minutes * MINUTE) for n, minutes in enumerate(created)]
    end = 25 * DAY

    rows = looked_at(target({"every": every, "until": f"{until}h"}), leads, at, end=end)

    zone = dt.timezone(dt.timedelta(microseconds=at.offset))
    ticks = [from_micros(quarter * 15 * MINUTE).astimezone(zone) for quarter in range(-42 * 96, 25 * 96 + 1)]
    midnights = [tick for tick in ticks if (tick.hour, tick.minute) == (0, 0)]
    midnights = [tick for tick in midnights if every in {"day", WEEKDAYS[tick.weekday()]}]
    assert rows == [
        (one.lead_id, int(tick.timestamp()) * 1_000_000)
        for one in leads
        for tick in midnights
        if from_micros(one.created_at) < tick <= from_micros(one.created_at) + dt.timedelta(hours=until)
    ]
