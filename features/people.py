"""Leads that are one person: the facts of its members as one log, each visible only while they were one.

So evaluators know nothing of identity. A person is named after its oldest lead; while a lead is merged into another it
stands for nobody.
"""

from __future__ import annotations

import operator
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import ibis

from features.facts import MEMBER, Event, LeadFacts, Tables, Version
from features.identity import Interval
from leadlight.schema import ARRIVED_AT, AS_OF, CANONICAL_ID, FOREVER, LEAD_ID, SINCE, UNTIL, Micros

Fact = TypeVar("Fact", Event, Version)

_BY_LEAD_AND_TIME = operator.attrgetter(LEAD_ID, SINCE)


class Identities:
    """Who each lead is and was, of the leads that were ever merged; every other one is always itself.

    It never changes: ``replaced`` and ``without`` give another, which shares with this one what is the same, so that
    they cost what was ever replaced, however many leads are merged.
    """

    def __init__(self, intervals: Iterable[Interval] = ()) -> None:
        of: dict[str, list[Interval]] = {}
        named: dict[str, list[Interval]] = {}
        for interval in sorted(intervals, key=_BY_LEAD_AND_TIME):
            of.setdefault(interval.lead_id, []).append(interval)
            named.setdefault(interval.canonical_id, []).append(interval)
        self._of, self._as = _Layers(of), _Layers(named)

    def __contains__(self, lead_id: object) -> bool:
        """Whether a lead was ever merged."""
        return isinstance(lead_id, str) and bool(self._of[lead_id])

    def of(self, lead_id: str) -> Sequence[Interval]:
        """Who this lead is, for all time, in order."""
        return self._of[lead_id] or (Interval(lead_id, lead_id, 0, FOREVER),)

    def stays(self, canonical_id: str) -> Sequence[Interval]:
        """Which leads are the person named after this one, and when, by lead and time."""
        return self._as[canonical_id] or self.of(canonical_id)

    def canonical(self, lead_id: str, as_of: Micros) -> str:
        """The lead that the person is named after who ``lead_id`` is at ``as_of``."""
        intervals = self.of(lead_id)
        return intervals[bisect_right(intervals, as_of, key=operator.attrgetter(SINCE)) - 1].canonical_id

    def members(self, canonical_id: str, as_of: Micros) -> list[str]:
        """The leads that are this person at ``as_of``; none while the lead it is named after is merged into another."""
        return [stay.lead_id for stay in self.stays(canonical_id) if stay.since <= as_of < stay.until]

    def ever(self, canonical_id: str) -> set[str]:
        """The leads that are this person at some time, with the lead it is named after."""
        return {canonical_id, *(stay.lead_id for stay in self.stays(canonical_id))}

    def replaced(self, lead_ids: Iterable[str], intervals: Iterable[Interval]) -> Identities:
        """The same but for these leads, of whom now ``intervals`` say all; a lead they leave out was never merged."""
        gone, said = set(lead_ids), sorted(intervals, key=_BY_LEAD_AND_TIME)
        before = [stay for lead_id in sorted(gone) for stay in self._of[lead_id]]
        if said == before:
            return self
        of: dict[str, list[Interval]] = {lead_id: [] for lead_id in gone}
        named = {
            canonical_id: [stay for stay in self._as[canonical_id] if stay.lead_id not in gone]
            for canonical_id in {stay.canonical_id for stay in (*before, *said)}
        }
        for stay in said:
            of[stay.lead_id].append(stay)
            named[stay.canonical_id].append(stay)
        found = Identities()
        found._of = self._of.under(of)
        found._as = self._as.under({name: sorted(stays, key=_BY_LEAD_AND_TIME) for name, stays in named.items()})
        return found

    def without(self, lead_ids: Iterable[str]) -> Identities:
        """The same once these leads were erased: whoever was one person with them was that alone."""
        gone = set(lead_ids)
        left = {stay.lead_id for lead_id in gone for stay in self._as[lead_id]} - gone
        alone = (stay for lead_id in left for stay in self._of[lead_id])
        return self.replaced(
            gone | left, [s._replace(canonical_id=s.lead_id) if s.canonical_id in gone else s for s in alone]
        )

    def intervals(self) -> Iterator[Interval]:
        """All intervals, by lead and time."""
        return (stay for lead_id in self._of.names() for stay in self._of[lead_id])


class _Layers:
    """Intervals by name: those of the beginning, which all that came of it share, under the few that were replaced."""

    def __init__(self, first: Mapping[str, list[Interval]], newer: Mapping[str, list[Interval]] | None = None) -> None:
        self._first = first
        self._newer = newer or {}

    def __getitem__(self, name: str) -> Sequence[Interval]:
        found = self._newer.get(name)
        return self._first.get(name, ()) if found is None else found

    def under(self, newest: Mapping[str, list[Interval]]) -> _Layers:
        return _Layers(self._first, {**self._newer, **newest})

    def names(self) -> list[str]:
        return sorted({*self._first, *self._newer})


def person(canonical_id: str, members: Mapping[str, LeadFacts], identity: Identities) -> LeadFacts:
    """The facts of a person, from those of its members as recorded: evaluated at any moment it is what was known then.

    ``members`` has every lead of ``identity.ever(canonical_id)`` that is known, and may have others.
    """
    stays = [(stay, members[stay.lead_id]) for stay in identity.stays(canonical_id) if stay.lead_id in members]
    versions = [
        replace(version, member=stay.lead_id) for stay, facts in stays for version in _within(facts.versions, stay)
    ]
    events = [event for stay, facts in stays for event in _within(facts.events, stay)]
    return replace(
        members[canonical_id],
        versions=tuple(sorted(versions, key=operator.attrgetter("at", "arrived_at", "member"))),
        events=tuple(sorted(events, key=operator.attrgetter("at", "event_id", "arrived_at"))),
    )


def _within(facts: Iterable[Fact], stay: Interval) -> Iterator[Fact]:
    """The facts as they are known of the person, while the lead is of it."""
    for fact in facts:
        arrived_at = max(fact.arrived_at, stay.since)
        until = min(FOREVER if fact.until is None else fact.until, stay.until)
        if arrived_at < until:
            yield replace(fact, arrived_at=arrived_at, until=None if until == FOREVER else until)


def ever_merged(tables: Tables) -> bool:
    """Whether any lead was ever one person with another; if none was, nobody has to look at identity."""
    return bool(tables.identity.count().to_pyarrow().as_py())


def as_people(tables: Tables) -> Tables:
    """The facts of persons, from those of leads as recorded. Its ``leads`` are all leads still.

    A version has its lead beside it, as ``MEMBER``: of versions with equal times the greatest lead's counts.
    """
    return rekeyed(tables) if ever_merged(tables) else tables


def rekeyed(tables: Tables) -> Tables:
    """``as_people`` whoever was merged."""
    attributes = tables.attributes.mutate(**{MEMBER: tables.attributes[LEAD_ID]})
    return replace(
        tables, attributes=_rekeyed(attributes, tables.identity), events=_rekeyed(tables.events, tables.identity)
    )


def _rekeyed(facts: ibis.Table, identity: ibis.Table) -> ibis.Table:
    stays = identity.select(LEAD_ID, CANONICAL_ID, _since=identity[SINCE], _until=identity[UNTIL])
    merged = facts.join(stays, LEAD_ID)
    until = ibis.least(merged[UNTIL].fill_null(FOREVER), merged["_until"])
    shown = merged.mutate(
        **{
            LEAD_ID: merged[CANONICAL_ID],
            ARRIVED_AT: ibis.greatest(merged[ARRIVED_AT], merged["_since"]),
            UNTIL: until.nullif(FOREVER),
        }
    )
    shown = shown.filter(shown[UNTIL].isnull() | (shown[ARRIVED_AT] < shown[UNTIL])).select(*facts.columns)
    return facts.anti_join(stays, LEAD_ID).union(shown)


def without_merged(rows: ibis.Table, tables: Tables) -> ibis.Table:
    """The rows of (``lead_id``, ``as_of``) whose lead is then the one its person is named after."""
    if not ever_merged(tables):
        return rows
    identity = tables.identity
    away = identity.filter(identity[CANONICAL_ID] != identity[LEAD_ID])
    return rows.anti_join(away, [rows[LEAD_ID] == away[LEAD_ID], *_is_at(away, rows[AS_OF])])


def with_members(rows: ibis.Table, tables: Tables, moment: ibis.Value) -> ibis.Table:
    """``rows`` once for every lead, ``MEMBER``, that is one person with the row's lead at ``moment`` of the row."""
    if not ever_merged(tables):
        return rows.mutate(**{MEMBER: rows[LEAD_ID]})
    rows = rows.mutate(_moment=moment)
    identity = tables.identity
    own = identity.select(_lead=LEAD_ID, _person=CANONICAL_ID, _since=SINCE, _until=UNTIL)
    rows = rows.left_join(own, [rows[LEAD_ID] == own["_lead"], *_is_between(own, rows["_moment"])])
    rows = rows.mutate(_person=rows["_person"].fill_null(rows[LEAD_ID])).drop("_lead", "_since", "_until")
    others = identity.select(**{MEMBER: LEAD_ID}, _other=CANONICAL_ID, _since=SINCE, _until=UNTIL)
    rows = rows.left_join(others, [rows["_person"] == others["_other"], *_is_between(others, rows["_moment"])])
    rows = rows.mutate(**{MEMBER: rows[MEMBER].fill_null(rows[LEAD_ID])})
    return rows.drop("_other", "_since", "_until", "_person", "_moment")


def _is_at(stays: ibis.Table, moment: ibis.Value) -> list[ibis.Value]:
    return [stays[SINCE] <= moment, moment < stays[UNTIL]]


def _is_between(stays: ibis.Table, moment: ibis.Value) -> list[ibis.Value]:
    return [stays["_since"] <= moment, moment < stays["_until"]]
