"""The request's leads at the door: each becomes a question, or every fault of every lead is told at once."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from features.arrivals import Admission, Wrong, plain, plain_labels
from features.history import Event, LeadFacts, Version
from leadlight.schema import CHANNEL, Micros, from_micros, to_micros
from leadlight.settings import Site
from serving.clock import Settled
from serving.problems import Fault, shown
from serving.roster import Roster
from serving.schemas import KnownLead, NewEvent, NewLead


@dataclass(frozen=True)
class Question:
    """One lead at one moment; ``facts`` of a lead that came inline, else the history has them.

    ``late`` if it is an earlier moment than was asked about: the last one of which all was known in time.
    """

    lead_id: str
    as_of: Micros
    facts: LeadFacts | None = None
    late: bool = False


@dataclass(frozen=True)
class Door:
    """What a request is held against: the site, its leads, what its facts may say, and the clock."""

    site: Site
    roster: Roster
    admission: Admission
    now: Settled
    settle: Callable[[Micros], Settled]
    """Makes sure that all is known that will ever have arrived by a moment."""
    person: Callable[[str, Micros], str]
    """The canonical lead of any of a person's leads at a moment."""

    @property
    def clock(self) -> Micros:
        """The moment of a question that names none."""
        return self.now.moment

    def at(self, moment: Micros) -> Settled:
        """``moment`` as it can be asked about; one that nobody may ask about moves no clock."""
        return self.now if moment == self.clock else self.settle(min(moment, self.admission.latest + 1))

    def question(self, lead_id: str, as_of: Settled | None) -> Question:
        """What is asked about a lead that the history knows; of no given moment, as soon as all its facts count."""
        if as_of is None:
            member = self.roster.members.get(self.person(lead_id, self.clock))
            as_of = self.at(self.clock if member is None else max(self.clock, member.counts_from))
        return Question(self.person(lead_id, as_of.moment), as_of.moment, late=as_of.late)


def questions(
    door: Door, leads: Sequence[KnownLead | NewLead], as_of: dt.datetime | None
) -> tuple[list[Question], list[Fault]]:
    """A question for each lead, in order, and all that is wrong; with a fault no question is to be used."""
    wrongs = [] if as_of is None else door.admission.moment("as_of", moment(as_of, door.site), as_of.isoformat())
    faults = list(faults_of("#", None, wrongs))
    asked_at = None if as_of is None or faults else door.at(moment(as_of, door.site))
    found = []
    for index, lead in enumerate(leads):
        if isinstance(lead, NewLead):
            question = _inline(door, lead, asked_at)
            faults += _new_faults(door, index, lead, question)
        else:
            question = door.question(lead.lead_id, asked_at)
            faults += _known_faults(door, index, question)
        found.append(question)
    return found, faults


def moment(when: dt.datetime, site: Site) -> Micros:
    """A moment of a request in µs; one without an offset is the site's local time."""
    return to_micros(when.replace(tzinfo=dt.UTC)) - site.offset if when.tzinfo is None else to_micros(when)


def _inline(door: Door, lead: NewLead, asked_at: Settled | None) -> Question:
    """A new lead's question, asked at the clock, or just after its newest fact so that this one counts."""
    created_at = moment(lead.created_at, door.site)
    events = tuple(_event(door.site, event) for event in lead.events if event.kind in door.site.kinds)
    attributes = {name: plain(value) for name, value in lead.attributes.items()}
    version = Version(created_at, created_at, {**attributes, CHANNEL: lead.channel})
    facts = LeadFacts(lead.lead_id, created_at, lead.channel, None, (version,), events)
    newest = max([created_at, *(max(event.at, event.arrived_at) for event in events)])
    asked = door.at(max(door.clock, newest + 1)) if asked_at is None else asked_at
    return Question(lead.lead_id, asked.moment, facts, late=asked.late)


def _event(site: Site, event: NewEvent) -> Event:
    at = moment(event.at, site)
    return Event(
        event_id=event.event_id,
        kind=event.kind,
        at=at,
        arrived_at=at + site.kinds[event.kind].delay if event.arrived_at is None else moment(event.arrived_at, site),
        amount=event.amount,
        labels=plain_labels(event.labels),
    )


def _known_faults(door: Door, index: int, question: Question) -> Iterator[Fault]:
    member = door.roster.members.get(question.lead_id)
    if member is None:
        allowed = "a lead of the history, or a new lead with its created_at and channel"
        yield Fault(f"#/leads/{index}/lead_id", shown(question.lead_id), allowed, index)
    else:
        yield from _time_faults(index, question, member.created_at, member.known_at)


def _time_faults(index: int, question: Question, created_at: Micros, known_at: Micros) -> Iterator[Fault]:
    if not (created_at < question.as_of >= known_at):
        came = f"as_of {_iso(question.as_of)} for lead {shown(question.lead_id)}"
        since = f"was created, {_iso(created_at)}" if created_at >= question.as_of else f"was known, {_iso(known_at)}"
        yield Fault(f"#/leads/{index}", came, f"an as_of after the lead {since}", index)


def _new_faults(door: Door, index: int, lead: NewLead, question: Question) -> Iterator[Fault]:
    place, admission = f"#/leads/{index}", door.admission
    if lead.lead_id in door.roster.members:
        allowed = "the id of a lead not yet in the history; a known lead is asked for by its lead_id alone"
        yield Fault(f"{place}/lead_id", shown(lead.lead_id), allowed, index)
    yield from faults_of(place, index, admission.channel(lead.channel))
    created_at = moment(lead.created_at, door.site)
    created = [*admission.moment("created_at", created_at, lead.created_at.isoformat())]
    yield from faults_of(place, index, created) if created else _time_faults(index, question, created_at, 0)
    yield from faults_of(place, index, admission.values(lead.attributes))
    times = Counter(event.event_id for event in lead.events)
    for number, event in enumerate(lead.events):
        where = f"{place}/events/{number}"
        if times[event.event_id] > 1:
            yield Fault(f"{where}/event_id", shown(event.event_id), "each event of a lead once", index)
        yield from faults_of(where, index, _event_wrongs(admission, event))


def _event_wrongs(admission: Admission, event: NewEvent) -> Iterator[Wrong]:
    at = moment(event.at, admission.site)
    yield from admission.event(event.kind, at, event.labels, came=event.at.isoformat())
    if event.arrived_at is not None:
        arrived_at, came = moment(event.arrived_at, admission.site), event.arrived_at.isoformat()
        yield from admission.moment("arrived_at", arrived_at, came)
        if arrived_at < at:
            yield Wrong("arrived_at", came, f"a moment not before the event's own, {event.at.isoformat()}")


def faults_of(place: str, index: int | None, wrongs: Iterable[Wrong]) -> Iterator[Fault]:
    """What is wrong with a fact at ``place`` of the request, as faults of the answer."""
    for wrong in wrongs:
        yield Fault(f"{place}/{wrong.field}", shown(wrong.came), wrong.allowed, index)


def _iso(when: Micros) -> str:
    return from_micros(when).isoformat()
