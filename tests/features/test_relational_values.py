"""Days and values over long times: both evaluators agree whichever way the relational one counts them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.history import Event
from features.relational.events import marks_days
from features.single import evaluator
from leadlight.schema import DAY, HOUR
from tests.builders import RelationalRows, catalogue, event, exact, lead, site, site_at

WINDOWS = ["12h", "1d", "61d", "62d", "63d", "64d", "125d", "126d", "376d", "377d", "378d", "all"]
"""Around the windows at which another word of bits is needed, or bits are too many."""
DAYS = catalogue(
    {"name": "days", "kind": "active_days", "events": ["login"], "windows": WINDOWS},
    {"name": "all_days", "kind": "active_days", "events": ["login", "order"], "windows": []},
)
VALUES = catalogue(
    {"name": "one", "kind": "top", "events": ["page_view"], "of": "course", "windows": ["2d", "all"]},
    {
        "name": "three",
        "kind": "top",
        "events": ["page_view", "lesson"],
        "of": "course",
        "k": 3,
        "windows": ["2d", "5d"],
    },
    {"name": "lately", "kind": "distinct", "events": ["lesson"], "of": "course", "windows": ["1d", "3d"]},
    {"name": "dear", "kind": "distinct", "events": ["page_view"], "of": "course", "amount_over": 0.5},
    {"name": "some", "kind": "top", "events": ["page_view", "lesson"], "of": "course", "where": {"course": ["b", "c"]}},
)
START = 20_000 * DAY
MOMENTS = [START - DAY, START, START + 1, START + DAY, START + 61 * DAY + HOUR]
NEAR = st.sampled_from([0, 0, 1, -1, 16 * HOUR, 16 * HOUR - 1])  # midnight at +08:00 is 16:00


@st.composite
def logins(draw: st.DrawFn) -> list[Event]:
    """Events on days before ``START``, most of them where a window begins."""
    ago = st.sampled_from([0, 1, 61, 62, 63, 64, 125, 126, 127, 376, 377, 378, 379]) | st.integers(0, 500)
    at = [START - days * DAY + draw(NEAR) for days in draw(st.lists(ago, max_size=30))]
    return [event(draw(st.sampled_from(["login", "order"])), each, event_id=f"e{n}") for n, each in enumerate(at)]


@st.composite
def views(draw: st.DrawFn) -> list[Event]:
    """Events with few courses, so that there are ties, over the last days before ``START``."""
    return [
        event(
            draw(st.sampled_from(["page_view", "page_view", "lesson"])),
            START - hours * 6 * HOUR + draw(NEAR),
            event_id=f"e{number}",
            amount=draw(st.sampled_from([None, 500, 501])),
            labels={"course": draw(st.sampled_from([None, "", "a", "b", "c", "d", "数"]))},
        )
        for number, hours in enumerate(draw(st.lists(st.integers(0, 24), max_size=25)))
    ]


@pytest.mark.parametrize("utc_offset", ["+08:00", "-03:30"])
def test_days_are_counted_alike_in_bits_and_by_value(utc_offset: str) -> None:
    """Windows of one word of bits, of several, and those too long for bits."""
    rows, read = RelationalRows(DAYS, site_at(utc_offset)), evaluator(DAYS, site_at(utc_offset))

    @settings(max_examples=40)
    @given(logins())
    def agree(events: list[Event]) -> None:
        facts = lead("a", events=events)

        found = rows.read([facts], [("a", as_of) for as_of in MOMENTS])

        for as_of in MOMENTS:
            assert exact(found["a", as_of]) == exact(read(facts, as_of))

    agree()
    bits = [column.window_text for column in DAYS.lead_columns if marks_days(column)]
    assert bits == [text for text in WINDOWS if text not in {"378d", "all"}]


def test_values_of_each_selection_are_ranked_and_counted_alike() -> None:
    """One favourite and several, distinct values, ties by name, in entries that select other events."""
    rows, read = RelationalRows(VALUES, site()), evaluator(VALUES, site())

    @settings(max_examples=40)
    @given(views())
    def agree(events: list[Event]) -> None:
        facts = lead("a", events=events)

        found = rows.read([facts], [("a", as_of) for as_of in MOMENTS])

        for as_of in MOMENTS:
            assert exact(found["a", as_of]) == exact(read(facts, as_of))

    agree()


def test_an_event_at_the_far_end_of_the_longest_window_counts() -> None:
    """It lies in the window at its very beginning, and no more a moment later."""
    facts = lead("a", events=[event("lesson", START - 3 * DAY, labels={"course": "a"})])

    found = RelationalRows(VALUES, site()).read([facts], [("a", START), ("a", START + 1)])

    assert [found["a", as_of].values["lately_3d"] for as_of in (START, START + 1)] == [1, 0]


def test_a_label_may_have_any_name() -> None:
    """What the evaluation calls its own columns meets no label."""
    names = ["rarer", "newest", "day", "times"]
    rules = catalogue(
        *({"name": f"n_{name}", "kind": "distinct", "events": ["login"], "of": name} for name in names),
        *({"name": f"t_{name}", "kind": "top", "events": ["login"], "of": name, "k": 2} for name in names),
    )
    labelled = site(kinds={"login": {"labels": names}, "order": {}})
    facts = lead("a", events=[event("login", HOUR, labels=dict.fromkeys(names, "x"))])

    row = RelationalRows(rules, labelled).read([facts], [("a", DAY)])["a", DAY]

    assert exact(row) == exact(evaluator(rules, labelled)(facts, DAY))
    assert row.values["t_rarer_1"] == "x"
