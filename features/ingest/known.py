"""What is known of the leads that a file names: enough to tell a row that says it again from one with news."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from features.facts import LeadFacts, Value, Version
from features.log import Log, NewVersion
from features.past import Past
from leadlight.schema import CHANNEL, Micros

Standing = Literal["news", "stands", "stood"]
"""Whether a row says what was never said of its lead, what holds, or what held before and was overruled."""


@dataclass
class KnownLead:
    """A lead as whoever reads a file has heard of it: ``said`` are the values of all its versions, whoever sent them.

    ``contacts`` are the masked ones, ``hashes`` the (type, hash), ``pending`` the version that the file itself had last
    and that is not in the log yet.
    """

    created_at: Micros
    channel: str
    said: list[Mapping[str, Value]] = field(default_factory=list)
    stands: Mapping[str, Value] = field(default_factory=dict)
    contacts: set[str | None] = field(default_factory=lambda: {None})
    hashes: set[tuple[str, str]] = field(default_factory=set)
    pending: NewVersion | None = None

    def standing(self, version: NewVersion) -> Standing:
        """What a version without a moment of its own says; a contact that is new is news, too."""
        values = _values(version)
        shown = set(version.hashes) <= self.hashes if version.hashes else version.contact in self.contacts
        if values not in self.said or not shown:
            return "news"
        return "stands" if values == self.stands else "stood"

    def learn(self, version: NewVersion) -> None:
        """What the file says of the lead."""
        self.stands, self.pending = _values(version), version
        self.said.append(self.stands)
        self.contacts.add(version.contact)
        self.hashes.update(version.hashes)


def known_leads(past: Past, log: Log, facts: Mapping[str, LeadFacts]) -> dict[str, KnownLead]:
    """The leads whose recorded ``facts`` these are."""
    found = {lead_id: _known(each) for lead_id, each in facts.items()}
    for each in (*past.base.contacts_of(found), *log.contacts_of(found)):
        found[each.lead_id].hashes.add((each.type, each.hash))
    for lead_id, contact in log.shown_by(found):
        found[lead_id].contacts.add(contact)
    return found


def _known(facts: LeadFacts) -> KnownLead:
    newest = max(facts.versions, key=_order, default=None)
    return KnownLead(
        facts.created_at,
        facts.channel,
        said=[_present(version.values) for version in facts.versions],
        stands={} if newest is None else _present(newest.values),
        contacts={None, facts.contact},
    )


def _order(version: Version) -> tuple[Micros, Micros]:
    return version.at, version.arrived_at


def _values(version: NewVersion) -> dict[str, Value]:
    return _present({CHANNEL: version.channel, **version.attributes})


def _present(values: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if value is not None}
