"""Context features: every closed day's counts, against a count by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import context
from features.catalogue import Catalogue, Context
from features.context import closing
from features.history import Event, LeadFacts
from leadlight.schema import DAY, HOUR, LEAD_CREATED, Micros, local_day, midnight
from leadlight.settings import Site
from tests.builders import Question, catalogue, corrected, event, lead, site, site_at

CROWD = catalogue(
    {"name": "visits", "kind": "context", "events": ["page_view", "lesson"], "windows": ["1d", "3d"]},
    {"name": "orders", "kind": "context", "events": ["order"], "scope": "channel", "windows": ["3d", "7d"]},
    {"name": "news", "kind": "context", "events": [LEAD_CREATED], "scope": "channel", "windows": ["7d"]},
    {"name": "busy", "kind": "context", "events": [LEAD_CREATED, "login"], "windows": ["7d"]},
)
START = 20_000
"""The local day before which nothing happens in these tests."""

Counts = dict[tuple[str, Micros], dict[str, int | None]]


def closings(rules: Catalogue, at: Site, first_day: int, last_day: int) -> Question:
    """The question for the rows of these days."""
    return Question(at, lambda tables, _: context.close(rules, at, tables, first_day, last_day))


def closed(question: Question, leads: list[LeadFacts]) -> Counts:
    """The rows of ``context.close`` by key and moment of closing."""
    rows = question.ask(leads)
    by_key = {(row.pop("context_key"), row.pop("closed_at")): row for row in rows}
    assert len(by_key) == len(rows)
    assert {type(count) for row in rows for count in row.values()} <= {int, type(None)}
    return by_key


def counted(rules: Catalogue, at: Site, leads: list[LeadFacts], first_day: int, last_day: int) -> Counts:
    """The same by definition: for each key and day, look at every fact."""
    rows: Counts = {}
    for day in range(first_day, last_day + 1):
        known = [each for each in leads if each.known_at <= closing(at, day)]
        channels = {each.channel for each in known if local_day(each.created_at, at.offset) <= day}
        for key in ["all", *channels]:
            members = [each for each in known if key in {"all", each.channel}]
            rows[key, closing(at, day)] = {
                column.name: _count(column.entry, (column.window or 0) // DAY, at, members, day)
                if isinstance(column.entry, Context) and (column.entry.scope == "all") == (key == "all")
                else None
                for column in rules.context_columns
            }
    return rows


def _count(entry: Context, days: int, at: Site, members: list[LeadFacts], day: int) -> int:
    facts = [fact for each in members for fact in (*each.events, event(LEAD_CREATED, each.created_at))]
    moment = closing(at, day)
    return sum(
        fact.kind in entry.events
        and day - days < local_day(fact.at, at.offset) <= day
        and (fact.kind == LEAD_CREATED or fact.arrived_at <= moment)
        and (fact.until is None or fact.until > moment)
        for fact in facts
    )


@st.composite
def histories(draw: st.DrawFn) -> list[LeadFacts]:
    """A few leads of two channels with late and corrected events, near midnights and closings."""
    hours = st.integers(0, 12 * 24).map(lambda hour: START * DAY + hour * HOUR)
    moments = st.builds(lambda at, nudge: at + nudge, hours, st.sampled_from([-1, 0, 0, 1]))
    delays = st.sampled_from([0, 1, 6 * HOUR, 30 * HOUR, 3 * DAY])
    kinds = st.sampled_from(["page_view", "lesson", "login", "order", "payment"])
    leads = []
    for number in range(draw(st.integers(0, 4))):
        events: list[Event] = []
        for event_id in map(str, range(draw(st.integers(0, 6)))):
            arrivals = sorted(draw(st.sets(delays, min_size=1, max_size=3)))
            at = draw(moments)
            events += corrected(
                *(event(draw(kinds), at, event_id=event_id, arrived_at=at + delay) for delay in arrivals)
            )
        channel = draw(st.sampled_from(["sem", "live"]))
        created_at = draw(moments)
        known_at = draw(st.sampled_from([0, created_at + draw(delays)]))
        leads.append(lead(f"lead-{number}", created_at=created_at, channel=channel, events=events, known_at=known_at))
    return leads


@pytest.mark.parametrize(("utc_offset", "first", "last"), [("+08:00", -1, 20), ("-03:30", 3, 8), ("+00:00", 5, 5)])
def test_every_closed_day_counts_what_had_arrived_by_its_closing(utc_offset: str, first: int, last: int) -> None:
    """Rows, keys and counts equal a count by definition, for days before, amid and after all facts."""
    place = site_at(utc_offset)
    question = closings(CROWD, place, START + first, START + last)

    @settings(max_examples=60)
    @given(histories())
    def closes_as_defined(leads: list[LeadFacts]) -> None:
        assert closed(question, leads) == counted(CROWD, place, leads, START + first, START + last)

    closes_as_defined()


def test_a_late_fact_counts_only_from_the_day_that_knew_it() -> None:
    """A visit that arrives two days late counts at the third closing alone: by the fourth its window has passed."""
    place = site()
    noon = midnight(START, place.offset) + 12 * HOUR
    visitor = lead(created_at=noon, events=[event("page_view", noon, arrived_at=noon + 2 * DAY)])

    rows = closed(closings(CROWD, place, START, START + 3), [visitor])

    counts = [rows["all", closing(place, START + day)]["visits_3d"] for day in range(4)]
    assert counts == [0, 0, 1, 0]


def test_a_day_closes_after_its_slowest_source() -> None:
    """Midnight plus the largest delay of a kind; what arrives then still counts, a microsecond later it does not."""
    place = site()
    closes = midnight(START + 1, place.offset) + 6 * HOUR
    visits = [
        event("page_view", closes - 8 * HOUR, event_id="in time", arrived_at=closes),
        event("page_view", closes - 8 * HOUR, event_id="too late", arrived_at=closes + 1),
    ]

    rows = closed(closings(CROWD, place, START, START), [lead(created_at=closes - DAY, events=visits)])

    assert closing(place, START) == closes
    assert rows["all", closes]["visits_1d"] == 1


def test_a_single_day_closes_as_it_does_among_others() -> None:
    """Closing only the newest day yields the rows that closing the whole range yields."""
    place = site()
    begin = midnight(START, place.offset)
    orders = [event("order", begin + hours * HOUR) for hours in range(0, 9 * 24, 5)]
    leads = [lead(created_at=begin, events=orders), lead("other", created_at=begin + 4 * DAY, channel="live")]

    alone = closed(closings(CROWD, place, START + 6, START + 6), leads)

    among_others = closed(closings(CROWD, place, START, START + 8), leads)
    assert set(alone) == {(key, closing(place, START + 6)) for key in ("all", "live", "sem")}
    assert alone.items() <= among_others.items()


def test_without_context_features_only_keys_remain() -> None:
    """A catalogue that never looks beyond the lead closes its days without columns."""
    rows = closed(closings(catalogue({"name": "age", "kind": "age"}), site(), START, START + 1), [])

    assert rows == {("all", closing(site(), day)): {} for day in (START, START + 1)}
