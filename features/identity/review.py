"""What a reviewer sees and says of who is who, over a site's base and its live log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import ibis
import pyarrow as pa

from features.history import History
from features.identity.bulk import identity_table
from features.identity.components import Person, Verdicts
from features.identity.contacts import HASH, HASHED, TYPE
from features.identity.evidence import Edge, Held
from features.identity.propose import DEVICE, Proposal, proposals
from features.log import Log, NewEdge, Tail
from features.past import Past
from leadlight.schema import (
    ARRIVED_AT,
    AT,
    CHANNEL,
    CONTACT,
    CREATED_AT,
    FOREVER,
    KNOWN_AT,
    LEAD_ID,
    UNTIL,
    Micros,
)
from leadlight.settings import Site

NOW = FOREVER - 1
"""By all that is known."""


@dataclass(frozen=True)
class Said:
    """A reviewer's word as it was taken: whether it was new, from when it counts, and each lead's person since then."""

    is_new: bool
    arrived_at: Micros
    persons: dict[str, tuple[str, ...]]


class Review:
    """A site's identities under review; one at a time."""

    def __init__(self, site: Site, base: History, log: Log) -> None:
        self._site, self._base, self._log = site, base, log
        self._past = Past(base, log, site.identity)
        self._catch_up()

    def say(self, edge: NewEdge, *, wall: Callable[[], Micros]) -> Said:
        """Append a reviewer's word; what the log cannot take is a ``SiteError``."""
        leads = [lead for lead in (edge.lead_id, edge.other_id) if lead is not None]
        done = self._log.append(
            [edge], now=lambda: self._past.now(self._site, wall=wall()), base=self._past.recorded(leads)
        )
        self._catch_up()
        return Said(done.results[0] != "unchanged", done.arrived_at, {lead: self._person(lead) for lead in leads})

    def held(self) -> tuple[Held, ...]:
        """The merges that await a reviewer."""
        tail = self._log.tail(after=self._base.summary.log_seq, through=self._log.head())
        with self._base.reading() as tables:
            contacts = tables.contacts.select(*HASHED.names).union(_logged_contacts(tail))
            leads = tables.leads.select(LEAD_ID, CREATED_AT).union(_logged_leads(tail))
            first = leads.group_by(LEAD_ID).agg(created_at=leads[CREATED_AT].min())
            _, held = identity_table(contacts, first, self._edges(), self._site.identity)
        return held

    def propose(self, *, at_least: float) -> list[Proposal]:
        """Pairs of persons, of those that the last build knew, that may be one though they share no contact."""
        edges = self._edges()
        verdicts = Verdicts()
        for edge in sorted(edges, key=lambda edge: (edge.arrived_at, edge.seq)):
            verdicts.hear(edge)
        leads = self._leads(gone=[*self._merged_away(), *verdicts.alone])
        found = proposals(leads, at_least=at_least, decided=verdicts.same | verdicts.apart)
        named = self._named({lead for pair in found for lead in (pair.lead_id, pair.other_id)})
        return [pair for pair in found if not named[pair.lead_id].differs(named[pair.other_id])]

    def _catch_up(self) -> None:
        head, _ = self._past.news(())
        self._past.reached(head)

    def _person(self, lead_id: str) -> tuple[str, ...]:
        canonical = self._past.identity.canonical(lead_id, NOW)
        return tuple(sorted(self._past.identity.members(canonical, NOW)))

    def _edges(self) -> Sequence[Edge]:
        return self._log.edges_of(self._log.linked(0))

    def _merged_away(self) -> Iterator[str]:
        for stay in self._past.identity.intervals():
            if stay.until == FOREVER and stay.canonical_id != stay.lead_id:
                yield stay.lead_id

    def _leads(self, gone: Sequence[str]) -> pa.Table:
        """One row a person, as ``proposals`` takes them."""
        with self._base.reading() as tables:
            leads = tables.leads.select(LEAD_ID, CREATED_AT, CONTACT)
            leads = leads.anti_join(ibis.memtable(pa.table({LEAD_ID: pa.array(gone, pa.string())})), LEAD_ID)
            contacts = tables.contacts.filter(tables.contacts[TYPE] == DEVICE)
            devices = contacts.group_by(LEAD_ID).agg(device=contacts[HASH].min())
            versions = tables.attributes.filter(tables.attributes[UNTIL].isnull())
            fixed = {LEAD_ID, AT, ARRIVED_AT, UNTIL, CHANNEL, CONTACT, CREATED_AT, DEVICE}
            texts = [name for name in versions.columns if name not in fixed and versions[name].type().is_string()]
            newest = versions.group_by(LEAD_ID).agg(**{name: versions[name].argmax(versions[AT]) for name in texts})
            rows = leads.left_join(devices, LEAD_ID).drop(f"{LEAD_ID}_right").left_join(newest, LEAD_ID)
            return rows.select(LEAD_ID, CREATED_AT, CONTACT, DEVICE, *texts).order_by(LEAD_ID).to_pyarrow()

    def _named(self, leads: Iterable[str]) -> dict[str, Person]:
        """The persons of these leads with the WeChat ids and e-mails that tell them apart."""
        members = {lead: self._person(lead) for lead in leads}
        asked = [lead for person in members.values() for lead in person]
        shown = [*self._base.contacts_of(asked), *self._log.contacts_of(asked)]
        return {
            lead: Person(
                [],
                wechat={each.hash for each in shown if each.type == "wechat" and each.lead_id in person},
                email={each.hash for each in shown if each.type == "email" and each.lead_id in person},
            )
            for lead, person in members.items()
        }


def _logged_contacts(tail: Tail) -> ibis.Table:
    return ibis.memtable(tail.contacts.rename_columns({ARRIVED_AT: KNOWN_AT}).select(HASHED.names))


def _logged_leads(tail: Tail) -> ibis.Table:
    return ibis.memtable(tail.versions.select([LEAD_ID, CREATED_AT]))
