"""Leaks planted into random worlds: facts that say of an earlier time what was only learnt later."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from features.facts import LeadFacts
from features.single import evaluator
from leadlight.schema import DAY, HOUR, Micros
from tests.builders import catalogue
from tests.features.histories import ENTRIES, START
from tests.features.known_time import SITE, Rows, add_history, by_lead, by_tables, recorded
from tests.features.oracle import Delivered, Stated, World

RULES = catalogue(*ENTRIES)
BEFORE = (1, HOUR, 30 * HOUR, 10 * DAY)
"""How long before a leak is learnt its lead is asked about, beside the moment it is planted for."""


@dataclass(frozen=True)
class Leak:
    """A fact of ``lead_id`` that happened before ``as_of`` and was learnt at ``learnt_at``, after it."""

    kind: str
    lead_id: str
    as_of: Micros
    learnt_at: Micros
    fact: Delivered | Stated

    def moments(self) -> list[tuple[str, Micros]]:
        """When the lead is asked about before it was learnt."""
        return [(self.lead_id, self.as_of), *((self.lead_id, self.learnt_at - each) for each in BEFORE)]


@dataclass(frozen=True)
class Planted:
    """What a leak did."""

    leak: Leak
    leaked: bool
    """Whether a row before it was learnt is another than without it."""
    counted: bool
    """Whether the row at the moment it was learnt is."""
    real: bool
    """Whether a reader that looks at event time alone would have taken it in."""


def plant(seed: int, count: int) -> list[Planted]:
    """As many leaks, a quarter of each kind, each in a history of its own."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    world, leaks = World(), list[Leak]()
    for number in range(count):
        name = f"{number:05}"
        add_history(world, draw, name)
        leaks.append(_KINDS[number % len(_KINDS)](world, draw, f"{name}-0"))
    clean, dirty = _read(world, leaks), _read(_with(world, leaks), leaks)
    return [_judged(leak, clean, dirty) for leak in leaks]


def written_after_the_outcome(world: World, draw: random.Random, lead_id: str) -> Leak:
    """A column of the lead, filled in after it had bought and dated back to before."""
    as_of, bought_at = _moments(world, draw, lead_id)
    _sell(world, lead_id, bought_at)
    created_at = world.created[lead_id]
    world.stated[lead_id] = [Stated(lead_id, created_at, created_at, {"channel": "live", "city": None, "budget": None})]
    values: dict[str, str | float | None] = {"channel": "sem", "city": "written after the outcome", "budget": 99.5}
    fact = Stated(lead_id, as_of - 1, bought_at + HOUR, values)
    return Leak("value written after the outcome", lead_id, as_of, fact.arrived_at, fact)


def corrected_later(world: World, draw: random.Random, lead_id: str) -> Leak:
    """An event of before, with another amount and kind once it was looked at again."""
    as_of, learnt_at = _moments(world, draw, lead_id)
    labels = {"course": None, "category": "as it was"}
    told = Delivered(f"{lead_id}-leak", lead_id, "order", as_of - HOUR, as_of - HOUR, 1_000, labels)
    world.events[lead_id].append(told)
    fact = replace(told, arrived_at=learnt_at, amount=777_000, labels={**labels, "category": "corrected"})
    return Leak("correction", lead_id, as_of, learnt_at, fact)


def arrived_late(world: World, draw: random.Random, lead_id: str) -> Leak:
    """A visit of before that a slow source delivered after."""
    as_of, learnt_at = _moments(world, draw, lead_id)
    labels = {"course": "late", "category": None}
    fact = Delivered(f"{lead_id}-leak", lead_id, "page_view", as_of - 2 * HOUR, learnt_at, 5_000, labels)
    return Leak("late arrival", lead_id, as_of, learnt_at, fact)


def set_by_the_sale(world: World, draw: random.Random, lead_id: str) -> Leak:
    """A status that only a sale sets, dated back to before it by whoever booked the sale."""
    as_of, bought_at = _moments(world, draw, lead_id)
    _sell(world, lead_id, bought_at)
    labels = {"course": None, "category": "won"}
    fact = Delivered(f"{lead_id}-leak", lead_id, "order", as_of - HOUR, bought_at, 99_000, labels)
    return Leak("status set by the sale", lead_id, as_of, bought_at, fact)


_KINDS: tuple[Callable[[World, random.Random, str], Leak], ...] = (
    written_after_the_outcome,
    corrected_later,
    arrived_late,
    set_by_the_sale,
)


def _moments(world: World, draw: random.Random, lead_id: str) -> tuple[Micros, Micros]:
    """A moment at which the lead exists, and a later one; whoever was one person with it no longer is."""
    world.persons[lead_id] = []
    as_of = max(world.created[lead_id], START) + draw.randrange(4, 60) * 6 * HOUR
    return as_of, as_of + draw.randrange(1, 40) * 6 * HOUR


def _sell(world: World, lead_id: str, at: Micros) -> None:
    labels = {"course": None, "category": "sale"}
    world.events[lead_id].append(Delivered(f"{lead_id}-sale", lead_id, "order", at, at, 500_000, labels))


def _with(world: World, leaks: list[Leak]) -> World:
    events, stated = dict(world.events), dict(world.stated)
    for leak in leaks:
        if isinstance(leak.fact, Stated):
            stated[leak.lead_id] = [*stated[leak.lead_id], leak.fact]
        else:
            events[leak.lead_id] = [*events[leak.lead_id], leak.fact]
    return World(world.created, events, stated, {})


@dataclass(frozen=True)
class _Read:
    """What was read of one world: rows before the leaks are learnt (by both evaluators), and then, and naively."""

    before: tuple[Rows, Rows]
    learnt: Rows
    naive: Rows


def _read(world: World, leaks: list[Leak]) -> _Read:
    before = [moment for leak in leaks for moment in leak.moments()]
    learnt = [(leak.lead_id, leak.learnt_at) for leak in leaks]
    read = evaluator(RULES, SITE)
    with tempfile.TemporaryDirectory() as folder:
        history = recorded(replace(world, persons={}), RULES, Path(folder))
        facts = history.facts(leak.lead_id for leak in leaks)
        return _Read(
            (by_tables(history, RULES, before), by_lead(history, RULES, before)),
            by_lead(history, RULES, learnt),
            {(leak.lead_id, leak.as_of): dict(read(_naive(facts[leak.lead_id]), leak.as_of).values) for leak in leaks},
        )


def _naive(facts: LeadFacts) -> LeadFacts:
    """The facts as a join on event time alone sees them: what is known at last, as if it always had been."""
    versions = [replace(each, arrived_at=each.at) for each in facts.versions if each.until is None]
    events = [replace(each, arrived_at=each.at) for each in facts.events if each.until is None]
    return replace(facts, versions=tuple(versions), events=tuple(events))


def _judged(leak: Leak, clean: _Read, dirty: _Read) -> Planted:
    moment, learnt = (leak.lead_id, leak.as_of), (leak.lead_id, leak.learnt_at)
    return Planted(
        leak,
        leaked=any(
            _differ(one[pair], other[pair])
            for one, other in zip(clean.before, dirty.before, strict=True)
            for pair in leak.moments()
        ),
        counted=_differ(clean.learnt[learnt], dirty.learnt[learnt]),
        real=_differ(clean.naive[moment], dirty.naive[moment]),
    )


def _differ(one: Mapping[str, object], other: Mapping[str, object]) -> bool:
    names = [column.name for column in RULES.lead_columns]
    return [repr(one[name]) for name in names] != [repr(other[name]) for name in names]
