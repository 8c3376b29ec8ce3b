"""The request's leads at the door: each becomes a question, or every fault of every lead is told at once."""

from __future__ import annotations

import datetime as dt
import difflib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from features.history import Event, LeadFacts, Value, Version
from leadlight.schema import CHANNEL, Micros, to_micros
from leadlight.settings import Site
from serving.problems import Fault, shown
from serving.roster import Roster
from serving.schemas import KnownLead, NewEvent, NewLead, Plain


@dataclass(frozen=True)
class Question:
    """One lead at one moment; ``facts`` of a lead that came inline, else the history has them."""

    lead_id: str
    as_of: Micros
    facts: LeadFacts | None = None


@dataclass(frozen=True)
class Door:
    """What a request is held against: the site, its leads, the clock, and the latest moment a fact may have."""

    site: Site
    roster: Roster
    clock: Micros
    latest: Micros


def questions(
    door: Door, leads: Sequence[KnownLead | NewLead], as_of: dt.datetime | None
) -> tuple[list[Question], list[Fault]]:
    """A question for each lead, in order, and all that is wrong; with a fault no question is to be used."""
    faults = [] if as_of is None else list(_moment_faults(door, None, "#/as_of", as_of))
    asked_at = None if as_of is None or faults else moment(as_of, door.site)
    found = []
    for index, lead in enumerate(leads):
        if isinstance(lead, NewLead):
            question = _inline(door, lead, asked_at)
            faults += _new_faults(door, index, lead, question)
        else:
            question = Question(lead.lead_id, door.clock if asked_at is None else asked_at)
            faults += _known_faults(door, index, question)
        found.append(question)
    return found, faults


def moment(when: dt.datetime, site: Site) -> Micros:
    """A moment of a request in µs; one without an offset is the site's local time."""
    return to_micros(when.replace(tzinfo=dt.UTC)) - site.offset if when.tzinfo is None else to_micros(when)


def _inline(door: Door, lead: NewLead, asked_at: Micros | None) -> Question:
    """A new lead's question, asked at the clock, or just after its newest fact so that this one counts."""
    created_at = moment(lead.created_at, door.site)
    events = tuple(_event(door.site, event) for event in lead.events if event.kind in door.site.kinds)
    attributes = {name: _value(value) for name, value in lead.attributes.items()}
    version = Version(created_at, created_at, {**attributes, CHANNEL: lead.channel})
    facts = LeadFacts(lead.lead_id, created_at, lead.channel, None, (version,), events)
    newest = max([created_at, *(max(event.at, event.arrived_at) for event in events)])
    return Question(lead.lead_id, max(door.clock, newest + 1) if asked_at is None else asked_at, facts)


def _event(site: Site, event: NewEvent) -> Event:
    at = moment(event.at, site)
    return Event(
        event_id=event.event_id,
        kind=event.kind,
        at=at,
        arrived_at=at + site.kinds[event.kind].delay if event.arrived_at is None else moment(event.arrived_at, site),
        amount=event.amount,
        labels={name: value if value and value.strip() else None for name, value in event.labels.items()},
    )


def _value(value: Plain) -> Value:
    """As the history holds it: numbers are floats, blank text is missing."""
    if isinstance(value, str):
        return value if value.strip() else None
    return None if value is None else float(value)


def _known_faults(door: Door, index: int, question: Question) -> Iterator[Fault]:
    member = door.roster.members.get(question.lead_id)
    if member is None:
        allowed = "a lead of the history, or a new lead with its created_at and channel"
        yield Fault(f"#/leads/{index}/lead_id", shown(question.lead_id), allowed, index)
    else:
        yield from _time_faults(index, question, member.created_at)


def _time_faults(index: int, question: Question, created_at: Micros) -> Iterator[Fault]:
    if created_at >= question.as_of:
        came = f"as_of {_iso(question.as_of)} for lead {shown(question.lead_id)}"
        yield Fault(f"#/leads/{index}", came, f"an as_of after the lead was created, {_iso(created_at)}", index)


def _new_faults(door: Door, index: int, lead: NewLead, question: Question) -> Iterator[Fault]:
    place = f"#/leads/{index}"
    if lead.lead_id in door.roster.members:
        allowed = "the id of a lead not yet in the history; a known lead is asked for by its lead_id alone"
        yield Fault(f"{place}/lead_id", shown(lead.lead_id), allowed, index)
    channels = door.site.channels or {member.channel for member in door.roster.members.values()}
    if lead.channel not in channels:
        yield Fault(f"{place}/channel", shown(lead.channel), _one_of(lead.channel, channels), index)
    created = list(_moment_faults(door, index, f"{place}/created_at", lead.created_at))
    yield from created or _time_faults(index, question, moment(lead.created_at, door.site))
    yield from _attribute_faults(door.roster.attributes, index, lead.attributes)
    times = Counter(event.event_id for event in lead.events)
    for number, event in enumerate(lead.events):
        where = f"{place}/events/{number}"
        if times[event.event_id] > 1:
            yield Fault(f"{where}/event_id", shown(event.event_id), "each event of a lead once", index)
        yield from _event_faults(door, index, where, event)


def _event_faults(door: Door, index: int, where: str, event: NewEvent) -> Iterator[Fault]:
    kind = door.site.kinds.get(event.kind)
    if kind is None:
        yield Fault(f"{where}/kind", shown(event.kind), _one_of(event.kind, door.site.kinds), index)
    for name in event.labels:
        if kind is not None and name not in kind.labels:
            yield Fault(f"{where}/labels/{name}", shown(name), _one_of(name, kind.labels), index)
    yield from _moment_faults(door, index, f"{where}/at", event.at)
    if event.arrived_at is not None:
        yield from _moment_faults(door, index, f"{where}/arrived_at", event.arrived_at)
        if moment(event.arrived_at, door.site) < moment(event.at, door.site):
            allowed = f"a moment not before the event's own, {event.at.isoformat()}"
            yield Fault(f"{where}/arrived_at", event.arrived_at.isoformat(), allowed, index)


def _attribute_faults(types: Mapping[str, str], index: int, attributes: Mapping[str, Plain]) -> Iterator[Fault]:
    for name, value in attributes.items():
        where = f"#/leads/{index}/attributes/{name}"
        if name not in types:
            yield Fault(where, shown(name), _one_of(name, types), index)
        elif value is not None and isinstance(value, str) != (types[name] == "text"):
            yield Fault(where, shown(value), f"a {types[name]}, or null for unknown", index)


def _moment_faults(door: Door, index: int | None, where: str, when: dt.datetime) -> Iterator[Fault]:
    if not 0 <= moment(when, door.site) <= door.latest:
        yield Fault(where, when.isoformat(), f"a moment from 1970 up to now, {_iso(door.latest)}", index)


def _one_of(came: str, names: Iterable[str]) -> str:
    """The allowed names, the nearest first if one is near."""
    known = sorted(names)
    near = difflib.get_close_matches(came, known, n=1)
    meant = f"; did you mean {near[0]}?" if near else ""
    return (f"one of: {', '.join(known)}" if known else "none") + meant


def _iso(when: Micros) -> str:
    return (dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=when)).isoformat()
