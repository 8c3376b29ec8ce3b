"""A population of leads that went quiet: who is in it when, by what was known then; the lock says the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.duck import connect
from features.facts import Event, LeadFacts
from features.people import Identities, as_people, person
from features.relational import evaluate
from features.spine import open_leads, training_spine
from leadlight.schema import DAY, HOUR, LEAD_ID, Micros, to_micros
from leadlight.settings import Site
from serving.locks import lock_facts, locks
from tests.builders import Question, catalogue, corrected, create_tables, event, lead, merged, site
from tests.features.histories import Moments, histories

OFFSETS = (0, 1, 20, 28, 29, 30, 34, 36, 40, 44, 56, 57, 60)
"""Ages at which a lead is looked at, in steps of six hours: random histories have their facts at such steps too."""
END = 30_000 * DAY
SIGNS = catalogue(
    {"name": "signs", "kind": "count", "events": ["page_view", "lesson"], "windows": ["7d"]},
)


def quiet_site(**population: object) -> Site:
    """The small site, asking about leads that neither looked at a page nor at a lesson for a week."""
    target = {
        "outcome": ["order", "page_view"],
        "horizon": "30d",
        "observe": {"offsets": [f"{6 * steps}h" for steps in OFFSETS]},
        "gate": {"precision": 0.3, "recall": 0.2},
        "population": {"quiet": {"kinds": ["page_view", "lesson"], "for": "7d"}, **population},
    }
    return site(targets={"recall": target})


ASKED = quiet_site()


def open_at(as_of: Micros, *events: Event, created_at: Micros = 0) -> bool:
    """Whether a lead with these events is open at ``as_of``."""
    tables = create_tables(connect(), ASKED, [lead(created_at=created_at, events=events)])
    return len(open_leads(ASKED.targets["recall"], tables, as_of=as_of).to_pyarrow()) == 1


def locked_at(facts: LeadFacts, as_of: Micros) -> bool:
    """Whether the lock of the population holds."""
    return bool(locks(ASKED, "recall", lock_facts(ASKED, facts), as_of, "en"))


@pytest.mark.parametrize(
    ("at", "arrived_at", "expected"),
    [
        pytest.param(13 * DAY - 1, None, True, id="just longer ago than asked"),
        pytest.param(13 * DAY, None, False, id="so long ago to the microsecond"),
        pytest.param(20 * DAY - 1, None, False, id="a moment ago"),
        pytest.param(20 * DAY, None, True, id="at that very moment"),
        pytest.param(19 * DAY, 20 * DAY, False, id="arrived at that very moment"),
        pytest.param(19 * DAY, 20 * DAY + 1, True, id="not yet arrived"),
    ],
)
def test_a_known_sign_of_life_breaks_the_quiet(at: Micros, arrived_at: Micros | None, expected: bool) -> None:  # noqa: FBT001  the case
    """Only what had happened and arrived counts, within a window like any feature's; other kinds count for nothing."""
    sign = event("lesson", at, arrived_at=at if arrived_at is None else arrived_at)

    assert open_at(20 * DAY, sign, event("login", 19 * DAY)) == expected
    assert locked_at(lead(events=[sign]), 20 * DAY) != expected


def test_a_lead_is_quiet_only_so_long_after_it_came() -> None:
    """A new lead without any event has not gone quiet."""
    assert not open_at(8 * DAY, created_at=DAY)
    assert open_at(8 * DAY + 1, created_at=DAY)


def test_a_sign_that_was_taken_back_breaks_nothing_any_more() -> None:
    """From the correction on the lead is quiet; what it was corrected into counts by its own kind and moment."""
    gone = corrected(
        event("lesson", 15 * DAY, event_id="x"), event("login", 15 * DAY, event_id="x", arrived_at=18 * DAY)
    )

    assert not open_at(18 * DAY - 1, *gone)
    assert open_at(18 * DAY, *gone)


def test_the_outcome_closes_for_good_but_for_what_a_lead_is_quiet_of() -> None:
    """Coming back may be an outcome: it ends the quiet for a while, an order for good, unless told otherwise."""
    forgiving, asked = quiet_site(lacks=[]).targets["recall"], ASKED.targets["recall"]
    ordered = [lead(events=[event("order", DAY), event("page_view", DAY)])]
    tables = create_tables(connect(), ASKED, ordered)

    assert asked.lacks == ("order",)
    assert open_at(20 * DAY, event("page_view", DAY))
    assert open_leads(asked, tables, as_of=20 * DAY).to_pyarrow()[LEAD_ID].to_pylist() == []
    assert open_leads(forgiving, tables, as_of=20 * DAY).to_pyarrow()[LEAD_ID].to_pylist() == ["lead"]


SPINE = Question(ASKED, lambda tables, _: training_spine(ASKED, ASKED.targets["recall"], tables, end=END))
COUNTED = Question(ASKED, lambda tables, spine: evaluate(SIGNS, ASKED, tables, spine))


def of_quiet(facts: LeadFacts) -> LeadFacts:
    """The same lead without its orders, which close it for good."""
    return lead(facts.lead_id, created_at=facts.created_at, events=[e for e in facts.events if e.kind != "order"])


@settings(max_examples=25)
@given(histories())
def test_spine_lock_and_feature_say_the_same(drawn: tuple[list[LeadFacts], Moments]) -> None:
    """On random histories a moment is in the spine exactly if no lock holds, and if the count of signs is 0."""
    leads = [of_quiet(facts) for facts in drawn[0]]
    moments = [(each.lead_id, each.created_at + max(6 * steps * HOUR, 1)) for each in leads for steps in OFFSETS]

    found = {(row["lead_id"], row["as_of"]) for row in SPINE.ask(leads)}
    counts = {(row["lead_id"], row["as_of"]): row["signs_7d"] for row in COUNTED.ask(leads, moments)}

    by_id = {each.lead_id: each for each in leads}
    assert found == {moment for moment in moments if not locked_at(by_id[moment[0]], moment[1])}
    assert found == {(who, at) for who, at in moments if counts[who, at] == 0 and at - by_id[who].created_at > 7 * DAY}


@settings(max_examples=25)
@given(histories())
def test_a_lock_ends_when_it_says(drawn: tuple[list[LeadFacts], Moments]) -> None:
    """If nothing more arrives the lead is quiet from ``until`` on, not before; ``since`` is one length earlier."""
    for facts in map(of_quiet, drawn[0]):
        known = lead(created_at=facts.created_at, events=[e for e in facts.events if e.until is None])
        as_of = max([facts.created_at + 1, *(max(e.at + 1, e.arrived_at) for e in known.events)])
        held = lock_facts(ASKED, known)

        (lock,) = locks(ASKED, "recall", held, as_of, "en") or (None,)

        if lock is not None:
            assert lock.since is not None
            assert lock.until is not None
            until = to_micros(lock.until)
            assert until == to_micros(lock.since) + 7 * DAY + 1
            assert locks(ASKED, "recall", held, until - 1, "en")
            assert not locks(ASKED, "recall", held, until, "en")


@settings(max_examples=6, deadline=None)
@given(histories(), st.integers(0, 12))
def test_persons_are_quiet_as_one(drawn: tuple[list[LeadFacts], Moments], days: int) -> None:
    """While two leads are one person, either's sign breaks the quiet; it counts from when the older one came."""
    leads = [of_quiet(facts) for facts in drawn[0]][:2]
    since = min(each.created_at for each in leads) + days * DAY
    intervals = merged(leads, (since, [[each.lead_id for each in leads]])) if len(leads) > 1 else []
    tables = as_people(create_tables(connect(), ASKED, leads, intervals))
    members, identity = {each.lead_id: each for each in leads}, Identities(intervals)

    rows = training_spine(ASKED, ASKED.targets["recall"], tables, end=END).to_pyarrow().to_pylist()
    found = {(row["lead_id"], row["as_of"]) for row in rows}

    moments = [(each.lead_id, each.created_at + max(6 * steps * HOUR, 1)) for each in leads for steps in OFFSETS]
    alone = [(who, at) for who, at in moments if identity.canonical(who, at) == who]
    people = {who: person(who, members, identity) if who in identity else members[who] for who in members}
    assert found == {(who, at) for who, at in alone if not locked_at(people[who], at)}
