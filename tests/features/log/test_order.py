"""Whatever the order in which facts arrive, and however often, in the end the same is known."""

from __future__ import annotations

from functools import partial
from itertools import count, groupby, pairwise
from operator import attrgetter

from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy import Engine

from features.log import Log, NewEvent, NewFact, NewVersion
from tests.features.log.log_builders import a_version, an_event

LEADS = ("ana", "bob")
runs = count()


def version_number(number: int) -> NewFact:
    lead_id, at = LEADS[number % 2], 1_001 + number // 2
    return a_version(lead_id, at=at, city=f"city{number}", hashes=(("phone", f"{number}"),))


def event_number(number: int) -> NewFact:
    return an_event(f"e{number}", LEADS[number % 2], at=2_000 + number % 3, amount=number)


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[NewFact], list[list[NewFact]]]:
    """Facts, and batches in which all of them come after their leads, in some order and some more than once."""
    leads: list[NewFact] = [*map(a_version, LEADS)]
    drawn = st.one_of(st.integers(0, 5).map(version_number), st.integers(0, 9).map(event_number))
    facts = [*leads, *draw(st.lists(drawn, max_size=12))]
    order = draw(st.permutations([*facts, *draw(st.lists(st.sampled_from(facts), max_size=8))]))
    cuts = sorted(draw(st.sets(st.integers(0, len(order)), max_size=4)) | {0, len(order)})
    return facts, [leads, *(order[start:end] for start, end in pairwise(cuts))]


@given(arrivals(), st.lists(st.integers(3_000, 4_000), min_size=8, max_size=8))
@examples(max_examples=40)
def test_any_order_and_any_resending_end_in_the_same_known_facts(
    database: Engine, arriving: tuple[list[NewFact], list[list[NewFact]]], clock: list[int]
) -> None:
    facts, batches = arriving
    log = Log(database)
    straight, crooked = f"{next(runs)}/", f"{next(runs)}/"

    log.append([named(fact, straight) for fact in facts], now=lambda: 3_000, base={})
    for moment, batch in zip(clock, batches, strict=False):
        log.append([named(fact, crooked) for fact in batch], now=partial(int, moment), base={})

    assert known(log, crooked) == known(log, straight)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(3_000, 3_010)), min_size=1, max_size=8))
@examples(max_examples=40)
def test_what_was_said_of_an_event_is_known_from_its_arrival_until_the_next_word(
    database: Engine, words: list[tuple[int, int]]
) -> None:
    log = Log(database)
    run = f"{next(runs)}/"
    known_at = log.append([a_version(run)], now=lambda: 3_000, base={}).arrived_at

    for amount, moment in words:
        log.append([an_event(run, run, amount=amount)], now=partial(int, moment), base={})

    events = log.facts([run], after=0)[run].events
    assert [each.amount for each in events] == [amount for amount, _ in groupby(amount for amount, _ in words)]
    assert [each.until for each in events] == [*(each.arrived_at for each in events[1:]), None]
    assert all(earlier.arrived_at < later.arrived_at for earlier, later in pairwise(events))
    assert events[0].arrived_at == max(words[0][1], known_at + 2)


def named(fact: NewFact, run: str) -> NewFact:
    """The same fact in a world of its own: one log serves all examples."""
    if isinstance(fact, NewEvent):
        return NewEvent(run + fact.event_id, run + fact.lead_id, fact.kind, fact.at, fact.amount, fact.labels)
    assert isinstance(fact, NewVersion)
    values = fact.attributes, fact.hashes
    return NewVersion(run + fact.lead_id, fact.created_at, fact.channel, fact.contact, fact.at, *values)


def known(log: Log, run: str) -> list[object]:
    """Everything but the moments of arrival."""
    found = log.facts([run + lead_id for lead_id in LEADS], after=0)
    return [
        (
            sorted((each.at, sorted(each.values.items()), each.until) for each in logged.versions),
            [
                (each.event_id.removeprefix(run), each.kind, each.at, each.until, each.amount)
                for each in sorted(logged.events, key=attrgetter("event_id"))
            ],
            {(kind, digest) for kind, digest, _ in logged.hashes},
            (logged.created_at, logged.channel, logged.contact),
        )
        for logged in (found[run + lead_id] for lead_id in LEADS)
    ]
