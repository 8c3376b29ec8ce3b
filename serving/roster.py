"""What the server holds in memory of every lead, so that the usual answer reads no file."""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from sys import intern
from typing import TYPE_CHECKING, NamedTuple

from features.facts import MEMBER
from features.history import Event, LeadFacts, Tables, Version
from features.people import as_people
from leadlight.schema import ARRIVED_AT, AT, CHANNEL, CREATED_AT, EVENT_ID, KIND, KNOWN_AT, LEAD_ID, UNTIL, Micros
from leadlight.settings import Site, SiteError
from serving.locks import LockFacts, asks_for_quiet, lock_attributes, lock_facts, lock_kinds, lock_labels

if TYPE_CHECKING:
    from features.past import Past


class Member(NamedTuple):
    """A lead's channel and creation, and when it became known: no later fact changes them."""

    channel: str
    created_at: Micros
    known_at: Micros

    @property
    def counts_from(self) -> Micros:
        """The first moment at which the lead exists for a question."""
        return max(self.created_at + 1, self.known_at)

    @classmethod
    def of(cls, facts: LeadFacts) -> Member:
        """The entry of a lead with these facts."""
        return cls(intern(facts.channel), facts.created_at, facts.known_at)


@dataclass(frozen=True)
class Roster:
    """The leads of one past; what it says of a lead is replaced whole when a fact of it comes or goes.

    ``held`` has the lock facts of the persons who have any, by the lead they are named after; ``attributes`` maps the
    attribute columns to ``text`` or ``number``.
    """

    members: dict[str, Member]
    held: dict[str, LockFacts]
    attributes: Mapping[str, str]

    def enter(self, lead_id: str, member: Member, held: LockFacts | None) -> None:
        """Say this of a lead from now on."""
        if held is None:
            self.held.pop(lead_id, None)
        else:
            self.held[lead_id] = held
        self.members[lead_id] = member

    def strike(self, lead_id: str) -> None:
        """Know nothing of a lead any more."""
        self.members.pop(lead_id, None)
        self.held.pop(lead_id, None)


def read_roster(site: Site, past: Past) -> Roster:
    """The roster of ``past``: scans of a few columns; ``SiteError`` for a lock that reads an attribute it lacks."""
    with past.reading() as tables:
        attributes = _attribute_types(tables)
        faults = list(_lock_faults(site, attributes))
        if faults:
            raise SiteError(faults)
        leads = tables.leads.select(LEAD_ID, CHANNEL, CREATED_AT, KNOWN_AT).to_pyarrow().to_pydict()
        entries = map(Member, map(intern, leads[CHANNEL]), leads[CREATED_AT], leads[KNOWN_AT])
        members = dict(zip(leads[LEAD_ID], entries, strict=True))
        return Roster(members, read_lock_facts(site, as_people(tables)), attributes)


def read_lock_facts(site: Site, tables: Tables) -> dict[str, LockFacts]:
    """What ``lock_facts`` says of each person of ``tables``, for those of whom it says anything."""
    events, versions, created = _events(site, tables), _versions(site, tables), _created(site, tables)
    found = {
        lead_id: lock_facts(
            site,
            LeadFacts(
                lead_id,
                created.get(lead_id, 0),
                "",
                versions=tuple(versions[lead_id]),
                events=tuple(events[lead_id]),
            ),
        )
        for lead_id in {**events, **versions, **created}
    }
    return {lead_id: held for lead_id, held in found.items() if held is not None}


def _events(site: Site, tables: Tables) -> defaultdict[str, list[Event]]:
    labels = sorted(lock_labels(site))
    rows = tables.events.filter(tables.events[KIND].isin(sorted(lock_kinds(site))))
    found = defaultdict(list)
    for row in rows.select(LEAD_ID, EVENT_ID, KIND, AT, ARRIVED_AT, UNTIL, *labels).to_pyarrow().to_pylist():
        own = {name: row.pop(name) for name in labels}
        found[row.pop(LEAD_ID)].append(Event(**row, labels=own))
    return found


def _created(site: Site, tables: Tables) -> dict[str, Micros]:
    """When each lead was created, where that can lock it."""
    if not asks_for_quiet(site):
        return {}
    leads = tables.leads.select(LEAD_ID, CREATED_AT).to_pyarrow().to_pydict()
    return dict(zip(leads[LEAD_ID], leads[CREATED_AT], strict=True))


def _versions(site: Site, tables: Tables) -> defaultdict[str, list[Version]]:
    """The versions of the leads whom an attribute locks at some time: usually few."""
    found: defaultdict[str, list[Version]] = defaultdict(list)
    rules = [(rule.attribute, rule.values) for rule in site.locks.values() if rule.attribute]
    if not rules:
        return found
    columns = sorted(lock_attributes(site))
    rows = tables.attributes
    locking = rows.filter(reduce(operator.or_, [rows[attribute].isin(values) for attribute, values in rules]))
    own = rows.semi_join(locking, LEAD_ID)  # of a person, with the member a version came from
    for row in own.to_pyarrow().to_pylist():
        values = {name: row[name] for name in columns}
        version = Version(row[AT], row[ARRIVED_AT], values, row[UNTIL], row.get(MEMBER, ""))
        found[row[LEAD_ID]].append(version)
    return found


def _attribute_types(tables: Tables) -> dict[str, str]:
    return {
        name: "text" if kind.is_string() else "number"
        for name, kind in tables.attributes.schema().items()
        if name not in {LEAD_ID, AT, ARRIVED_AT, UNTIL, CHANNEL}
    }


def _lock_faults(site: Site, attributes: Mapping[str, str]) -> Iterator[str]:
    """Locks that could never hold, because their attribute is not there or has another type than their values."""
    for name, rule in site.locks.items():
        for column in filter(None, (rule.attribute, rule.who if rule.attribute else None)):
            if column not in {*attributes, CHANNEL}:
                have = ", ".join(attributes) or "none"
                yield f"locks.{name}: no attribute {column!r}; return it in sources/leads.sql (the history has: {have})"
        wanted = "number" if any(isinstance(value, float) for value in rule.values) else "text"
        if attributes.get(rule.attribute or "", wanted) != wanted:
            came = ", ".join(map(repr, rule.values))
            yield f"locks.{name}: {rule.attribute!r} is no {wanted}, so it never is one of: {came}"
