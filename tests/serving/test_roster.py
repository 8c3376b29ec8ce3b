"""The roster: what is read of all leads at once is what a single lead gives, and it can be kept up to date."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from features.duck import connect
from features.history import Version
from features.identity import Interval
from features.people import Identities, as_people, person
from leadlight.schema import DAY, FOREVER, HOUR, Micros
from serving.locks import LockFacts, lock_facts
from serving.roster import Member, Roster, read_lock_facts
from tests.builders import create_tables, event, lead
from tests.serving.lock_builders import T, locked_site, with_quiet


@settings(max_examples=25)
@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from(["order", "complaint", "settled", "claim"]), st.sampled_from(["Li", "Wu", None])),
            max_size=3,
        ),
        max_size=4,
    ),
    st.lists(st.lists(st.sampled_from(["Lhasa", "Shanghai", None]), max_size=3), min_size=4, max_size=4),
    st.none() | st.tuples(st.integers(-3, 1), st.integers(1, 3)),
    st.booleans(),
)
def test_the_roster_reads_from_tables_what_a_single_lead_gives(
    events: list[list[tuple[str, str | None]]],
    cities: list[list[str | None]],
    merged: tuple[int, int] | None,
    quiet: bool,  # noqa: FBT001  drawn
) -> None:
    """Lock facts of all leads at once are those of each person, here with two leads that are one for a while."""
    site = locked_site(
        complaint={"set_by": ["complaint"], "where": {"by": ["Li"]}, "lifted_by": ["settled"]},
        protected={"attribute": "city", "values": ["Lhasa"]},
    )
    site = with_quiet(site) if quiet else site
    leads = [
        lead(
            str(number),
            created_at=T - (number + 1) * DAY,
            versions=tuple(Version(T - at * HOUR, T, {"city": city}) for at, city in enumerate(cities[number])),
            events=[
                event(kind, T - at * HOUR, event_id=f"{number}-{at}", labels={"by": who})
                for at, (kind, who) in enumerate(own)
            ],
        )
        for number, own in enumerate(events)
    ]

    stays = _together("0", "1", *merged) if merged and len(leads) > 1 else []

    found = read_lock_facts(site, as_people(create_tables(connect(), site, leads, stays)))

    members, identity = {each.lead_id: each for each in leads}, Identities(stays)
    people = {lead_id: person(lead_id, members, identity) if stays else members[lead_id] for lead_id in members}
    expected = {lead_id: lock_facts(site, facts) for lead_id, facts in people.items()}
    assert _unordered(found) == _unordered({name: kept for name, kept in expected.items() if kept is not None})


def _together(first: str, second: str, since: int, hours: int) -> list[Interval]:
    """Two leads that are one person, named after the first, for some hours."""
    begin, end = T + since * HOUR, T + (since + hours) * HOUR
    moments = [(second, 0, begin), (first, begin, end), (second, end, FOREVER)]
    return [Interval(first, first, 0, FOREVER), *(Interval(second, name, *stay) for name, *stay in moments)]


def _unordered(found: dict[str, LockFacts]) -> dict[str, tuple[set[str], set[str], Micros | None]]:
    return {
        name: (set(map(repr, kept.events)), set(map(repr, kept.versions)), kept.created_at)
        for name, kept in found.items()
    }


def test_what_is_said_of_a_lead_is_replaced_whole() -> None:
    """A later fact can add lock facts or take them away; a lead that is struck leaves nothing."""
    site = locked_site(complaint={"set_by": ["complaint"]})
    facts = lead("a", created_at=T - DAY, events=[event("complaint", T - HOUR)])
    roster = Roster({}, {}, {})

    roster.enter("a", Member.of(facts), lock_facts(site, facts))
    locked = (dict(roster.members), dict(roster.held))
    roster.enter("a", Member.of(facts), None)
    freed = dict(roster.held)
    roster.enter("a", Member.of(facts), lock_facts(site, facts))
    roster.strike("a")
    roster.strike("nobody")

    assert locked == ({"a": Member("sem", T - DAY, T - DAY)}, {"a": lock_facts(site, facts)})
    assert locked[0]["a"].counts_from == T - DAY + 1
    assert freed == {}
    assert (roster.members, roster.held) == ({}, {})
