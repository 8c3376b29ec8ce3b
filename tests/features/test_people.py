"""Leads that are one person: what they are known to have done, at each moment, whoever they were before and after."""

from __future__ import annotations

import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.catalogue import Catalogue
from features.duck import connect
from features.facts import LeadFacts, Version
from features.identity import Interval
from features.labels import judge
from features.people import Identities, as_people, person
from features.single import evaluator
from features.spine import open_leads, training_spine
from leadlight.schema import DAY, FOREVER, HOUR, Micros
from leadlight.settings import Target
from tests.builders import (
    RelationalRows,
    catalogue,
    corrected,
    create_tables,
    event,
    exact,
    lead,
    merged,
    site,
)
from tests.features.histories import EVERYTHING, SELDOM, START, histories

CITY = {"name": "city", "kind": "attribute", "column": "city"}
VIEWS = {"name": "views", "kind": "count", "events": ["page_view"]}
OLD = lead("old", created_at=DAY, events=[event("page_view", 2 * DAY, event_id="o1")])
NEW = lead("new", created_at=3 * DAY, channel="app", events=[event("page_view", 4 * DAY, event_id="n1")])
LEADS = [OLD, NEW]


def target(**changes: object) -> Target:
    """An order within 10 days, asked on several days."""
    fields = {"outcome": ["order"], "horizon": "10d", "observe": {"offsets": ["1d", "5d", "9d"]}}
    return Target.model_validate({**fields, "gate": {"precision": 0.3, "recall": 0.2}, **changes})


def views(leads: list[LeadFacts], intervals: list[Interval], who: str, as_of: Micros) -> object:
    """How many page views the person named after ``who`` is known to have had."""
    facts = person(who, {each.lead_id: each for each in leads}, Identities(intervals))
    return evaluator(catalogue(VIEWS), site())(facts, as_of).values["views"]


def test_a_person_has_done_what_its_members_did_once_that_is_known() -> None:
    """From the very moment of the merge both logs count; what was so before stays as it was known then."""
    intervals = merged(LEADS, (6 * DAY, [["old", "new"]]))

    assert [views(LEADS, intervals, "old", at) for at in (6 * DAY - 1, 6 * DAY)] == [1, 2]
    assert [views(LEADS, intervals, "new", at) for at in (6 * DAY - 1, 6 * DAY)] == [1, 0]


def test_a_merge_that_is_undone_leaves_nothing_behind() -> None:
    """From the very moment of the reviewer's word each lead has its own log again; a second merge is like the first."""
    both = [["old", "new"]]
    intervals = merged(LEADS, (6 * DAY, both), (8 * DAY, []), (9 * DAY, both))

    moments = (6 * DAY, 8 * DAY - 1, 8 * DAY, 9 * DAY - 1, 9 * DAY)
    assert [views(LEADS, intervals, "old", at) for at in moments] == [2, 2, 1, 1, 2]
    assert [views(LEADS, intervals, "new", at) for at in moments] == [0, 0, 1, 1, 0]


def test_the_greatest_member_counts_of_versions_with_equal_times() -> None:
    """Two members whose versions hold, and become known of the person, at one moment; a correction still corrects."""
    told = [Version(DAY, arrived, {"channel": "sem", "city": city, "budget": None}) for arrived, city in ((DAY, "A"),)]
    corrections = (
        Version(DAY, DAY, {"channel": "sem", "city": "B", "budget": None}, until=5 * DAY),
        Version(DAY, 5 * DAY, {"channel": "sem", "city": "C", "budget": None}),
    )
    leads = [lead("a", versions=tuple(told)), lead("b", versions=corrections), lead("c", versions=tuple(told))]
    intervals = merged(leads, (2 * DAY, [["a", "b"]]), (3 * DAY, [["a", "b", "c"]]))
    rows = RelationalRows(catalogue(CITY), site(), people=True)
    read = evaluator(catalogue(CITY), site())
    moments = [("a", day * DAY) for day in (1, 2, 3, 4, 5)]
    facts = person("a", {each.lead_id: each for each in leads}, Identities(intervals))

    found = rows.read(leads, [("a", moment + 1) for _, moment in moments], intervals)

    assert [row.values["city"] for _, row in sorted(found.items())] == ["A", "B", "A", "A", "C"]
    assert [read(facts, moment + 1).values["city"] for _, moment in moments] == ["A", "B", "A", "A", "C"]


def test_a_spine_has_one_row_a_person() -> None:
    """At each moment under the lead that it is then named after; open leads likewise."""
    leads = [OLD, NEW]
    intervals = merged(leads, (6 * DAY, [["old", "new"]]))
    tables = as_people(create_tables(connect(), site(), leads, intervals))

    rows = training_spine(site(), target(), tables, end=40 * DAY).to_pyarrow().to_pylist()
    asked = {day: open_leads(target(), tables, as_of=day * DAY).to_pyarrow()["lead_id"].to_pylist() for day in (5, 6)}

    assert sorted((row["lead_id"], row["as_of"] // DAY) for row in rows) == [
        ("new", 4),
        ("old", 2),
        ("old", 6),
        ("old", 10),
    ]
    assert {day: sorted(leads) for day, leads in asked.items()} == {5: ["new", "old"], 6: ["old"]}


def test_a_conversion_of_any_member_closes_the_person() -> None:
    """An order of the lead that was merged in closes the person from the merge on."""
    leads = [OLD, lead("new", created_at=3 * DAY, events=[event("order", 4 * DAY)])]
    tables = as_people(create_tables(connect(), site(), leads, merged(leads, (6 * DAY, [["old", "new"]]))))

    asked = {day: open_leads(target(), tables, as_of=day * DAY).to_pyarrow()["lead_id"].to_pylist() for day in (5, 6)}

    assert asked == {5: ["old"], 6: []}


@pytest.mark.parametrize(
    ("known_from", "expected"),
    [(12 * DAY, "won"), (12 * DAY + 1, "lost")],
)
def test_a_label_knows_who_was_who_when_it_matured(known_from: Micros, expected: str) -> None:
    """The order of a lead that is found to be the same person counts if that is known at maturity, no later."""
    leads = [OLD, lead("new", created_at=3 * DAY, events=[event("order", 4 * DAY)])]
    tables = create_tables(connect(), site(), leads, merged(leads, (known_from, [["old", "new"]])))
    spine = ibis.memtable([{"lead_id": "old", "as_of": 2 * DAY, "channel": "sem"}])

    (row,) = judge(target(), tables, spine, end=40 * DAY).to_pyarrow().to_pylist()

    assert row["label"] == (expected == "won")
    assert not row["converted"]


def test_a_person_that_had_converted_as_somebody_else_is_left_out() -> None:
    """An earlier order of a lead that is the same person at maturity makes the row one of a customer."""
    leads = [OLD, lead("new", created_at=3 * DAY, events=[event("order", 4 * DAY)])]
    tables = create_tables(connect(), site(), leads, merged(leads, (7 * DAY, [["old", "new"]])))
    spine = ibis.memtable([{"lead_id": who, "as_of": 6 * DAY, "channel": "sem"} for who in ("old", "new")])

    rows = judge(target(), tables, spine, end=40 * DAY).to_pyarrow().to_pylist()

    assert [(row["converted"], row["label"]) for row in rows] == [(True, 0), (True, 0)]


def test_identities_are_asked_in_memory() -> None:
    """Who a lead is, who a person is and ever was; of leads that were never merged, themselves."""
    who = Identities(merged(LEADS, (6 * DAY, [["old", "new"]]), (8 * DAY, [])))

    assert [who.canonical("new", at) for at in (0, 6 * DAY - 1, 6 * DAY, 8 * DAY - 1, 8 * DAY)] == [
        "new",
        "new",
        "old",
        "old",
        "new",
    ]
    assert sorted(who.members("old", 6 * DAY)) == ["new", "old"]
    assert who.members("new", 6 * DAY) == []
    assert who.ever("old") == {"old", "new"}
    assert (who.canonical("x", DAY), who.members("x", DAY), who.ever("x")) == ("x", ["x"], {"x"})
    assert list(who.replaced(["old", "new"], []).intervals()) == []
    assert who.of("x") == (Interval("x", "x", 0, FOREVER),)


@st.composite
def merges(draw: st.DrawFn, leads: list[LeadFacts]) -> list[Interval]:
    """Persons that come together and apart at random moments."""
    changes = []
    for _ in range(draw(st.integers(1, 4))):
        sets: dict[int, list[str]] = {}
        for each in leads:
            sets.setdefault(draw(st.integers(0, 2)), []).append(each.lead_id)
        changes.append((START + draw(st.integers(0, 60)) * 6 * HOUR, list(sets.values())))
    return merged(leads, *changes)


@pytest.mark.parametrize(
    ("rules", "examples"),
    [
        pytest.param(EVERYTHING, 30, id="everything"),
        pytest.param(SELDOM, 30, id="seldom"),
        pytest.param(EVERYTHING, 300, id="at length", marks=pytest.mark.proof),
    ],
)
def test_both_ways_to_see_a_person_agree_bit_for_bit(rules: Catalogue, examples: int) -> None:
    """Tables re-keyed by who is who, and one person's facts put together: same values, types and ``valid_until``."""
    rows = RelationalRows(rules, site(), people=True)
    read = evaluator(rules, site())

    @settings(max_examples=examples)
    @given(st.data())
    def agree(data: st.DataObject) -> None:
        leads, moments = data.draw(histories())
        intervals = data.draw(merges(leads))
        facts = {each.lead_id: each for each in leads}
        near = [(who, since + nudge) for who, _, since, _ in intervals if since for nudge in (-1, 0, 1)]
        asked = sorted({*moments, *near})

        found = rows.read(leads, asked, intervals)

        assert set(found) == set(asked)
        for who, as_of in asked:
            assert exact(found[who, as_of]) == exact(read(person(who, facts, Identities(intervals)), as_of))

    agree()


def test_corrections_of_members_stay_corrections() -> None:
    """An event that is corrected after the merge is known as it was until then."""
    order = corrected(
        event("order", 4 * DAY, event_id="x", amount=1000),
        event("order", 4 * DAY, event_id="x", arrived_at=9 * DAY, amount=5000),
    )
    leads = [OLD, lead("new", created_at=3 * DAY, events=order)]
    facts = person(
        "old", {each.lead_id: each for each in leads}, Identities(merged(leads, (6 * DAY, [["old", "new"]])))
    )
    spent = evaluator(catalogue({"name": "spent", "kind": "sum", "events": ["order"]}), site())

    assert [spent(facts, at).values["spent"] for at in (6 * DAY - 1, 6 * DAY, 9 * DAY - 1, 9 * DAY)] == [0, 1, 1, 5]


LEAD_IDS = st.sampled_from("abcdefgh")
STAYS = st.dictionaries(
    LEAD_IDS, st.lists(st.tuples(st.integers(1, 9), LEAD_IDS), max_size=3, unique_by=lambda change: change[0])
)


def partitions(drawn: dict[str, list[tuple[int, str]]]) -> list[Interval]:
    """Each drawn lead is itself at first, and from each drawn moment on another's."""
    found = []
    for lead_id, changes in drawn.items():
        since = [(0, lead_id), *sorted(changes)]
        ends = [*(moment for moment, _ in since[1:]), FOREVER]
        found += [Interval(lead_id, name, at, end) for (at, name), end in zip(since, ends, strict=True)]
    return found


@given(STAYS, st.lists(st.tuples(st.sampled_from(("replaced", "without")), STAYS), max_size=5))
def test_what_is_said_anew_of_some_leads_equals_all_said_from_the_beginning(
    first: dict[str, list[tuple[int, str]]], steps: list[tuple[str, dict[str, list[tuple[int, str]]]]]
) -> None:
    """Whatever was replaced or erased before; and what it came from says what it said."""
    came = Identities(partitions(first))
    said, known = came, {lead_id: partitions({lead_id: changes}) for lead_id, changes in first.items()}
    for step, drawn in steps:
        if step == "replaced":
            said = said.replaced(drawn, partitions({who: changes for who, changes in drawn.items() if changes}))
            known |= {who: partitions({who: changes}) if changes else [] for who, changes in drawn.items()}
        else:
            said = said.without(drawn)
            known = {
                who: [s._replace(canonical_id=who) if s.canonical_id in drawn else s for s in stays]
                for who, stays in known.items()
                if who not in drawn
            }
        anew = Identities(stay for stays in known.values() for stay in stays)
        assert list(said.intervals()) == list(anew.intervals())
        for who in "abcdefgh":
            assert (who in said) == (who in anew)
            assert (list(said.of(who)), list(said.stays(who))) == (list(anew.of(who)), list(anew.stays(who)))
    assert list(came.intervals()) == list(Identities(partitions(first)).intervals())


def test_what_is_known_already_is_no_change() -> None:
    """The very same identities come back."""
    same = Identities([Interval("old", "old", 0, FOREVER), Interval("new", "new", 0, 5)])

    assert same.replaced(["new", "x"], [Interval("new", "new", 0, 5)]) is same
