"""What files say of leads and events that came live first, and the live log has not heard yet.

A build sends it to the log, as anybody would: so it arrives then, changes no answer that was given, and every later
build finds it there. What repeats any version that came live says nothing new.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import ibis

from features.canonical import MASKED, attribute_types, hashed_of, typed_events, typed_leads
from features.catalogue import Catalogue
from features.facts import LeadFacts
from features.identity import Key
from features.identity.contacts import HASH, TYPE
from features.live import Live, live_events, live_values, of_known
from features.log import Log, NewEvent, NewFact, NewVersion, Refused, happened
from features.sources import Raw
from leadlight.schema import AMOUNT, ARRIVED_AT, AT, CHANNEL, CONTACT, CREATED_AT, EVENT_ID, KIND, LEAD_ID, Micros
from leadlight.settings import Site

AT_ONCE = 1_000

Fields = dict[str, Any]


@dataclass(frozen=True)
class Unheard:
    """The facts that are new to the log, in the order in which the files say they became known."""

    facts: tuple[NewFact, ...]

    def without(self, told: Collection[str]) -> Unheard:
        """The facts that were not ``told`` yet (by their ``repr``): some the log may have refused."""
        return Unheard(tuple(fact for fact in self.facts if repr(fact) not in told))

    def tell(self, log: Log, *, now: Micros, facts_tell_time: bool) -> tuple[str, ...]:
        """Append them, as of ``now`` at the earliest; what to note of it."""
        taken = refused = 0
        for start in range(0, len(self.facts), AT_ONCE):
            left: Sequence[NewFact] = self.facts[start : start + AT_ONCE]
            while left:
                moments = [*map(happened, left)] if facts_tell_time else []
                base = {fact.lead_id: LeadFacts(fact.lead_id, 0, "") for fact in left if isinstance(fact, NewEvent)}
                try:
                    log.append(left, now=partial(max, [now, *moments]), base=base)
                except Refused as fault:
                    wrong = {place for place, _ in fault.by_fact}
                    refused += len(wrong)
                    left = [fact for place, fact in enumerate(left) if place not in wrong]
                else:
                    taken += len(left)
                    break
        return tuple(_notes(taken, refused))


def _notes(taken: int, refused: int) -> Iterator[str]:
    words = "of leads and events that came live first the files say something else"
    if taken:
        yield f"live: {words} ({taken:,} such): it counts from this build on"
    if refused:
        yield f"live: {words} that the log refuses ({refused:,} such): it counts for nothing"


def unheard(raw: Raw, site: Site, catalogue: Catalogue, live: Live, key: Key | None) -> Unheard:
    """What the checked raw tables say that ``live``, all live facts so far, does not."""
    live = of_known(live)
    return Unheard((*_leads(raw, site, catalogue, live, key), *_events(raw, site, live)))


def _leads(raw: Raw, site: Site, catalogue: Catalogue, live: Live, key: Key | None) -> Iterator[NewVersion]:
    heard = live.versions.filter(live.versions["first"]).select(LEAD_ID)
    told = typed_leads(raw, site, catalogue).semi_join(heard, LEAD_ID).cache()
    types = {CHANNEL: "text", **attribute_types(raw.leads, catalogue)}
    versioned = AT in raw.leads.columns
    known = live_values(live.versions, types).cache()
    repeated = [told[LEAD_ID] == known[LEAD_ID], *(told[name].isnull() | (told[name] == known[name]) for name in types)]
    if versioned:
        repeated.append(told[AT] == known[AT])
    differing = told.anti_join(known, repeated).order_by(lambda row: ibis.coalesce(row[ARRIVED_AT], 0), AT, LEAD_ID)
    rows = differing.select(LEAD_ID, AT, *types).distinct().to_pyarrow().to_pylist()
    shown = told.filter(told[MASKED].notnull()).select(LEAD_ID, **{CONTACT: told[MASKED]})
    masked = dict(_rows(shown.anti_join(live.versions, [LEAD_ID, CONTACT]), LEAD_ID, CONTACT))
    hashes: dict[str, list[tuple[str, str]]] = {}
    contacts = hashed_of(raw.leads.semi_join(heard, LEAD_ID), site, key)
    for lead_id, kind, digest in _rows(contacts.anti_join(live.contacts, [LEAD_ID, TYPE, HASH]), LEAD_ID, TYPE, HASH):
        hashes.setdefault(lead_id, []).append((kind, digest))
    versions = _versions_of({*(row[LEAD_ID] for row in rows), *masked, *hashes}, live)
    for row in rows:
        yield _said(row, versions[row[LEAD_ID]], versioned=versioned)
    for lead_id in sorted({*masked, *hashes}):
        newest = versions[lead_id][-1]
        yield replace(newest, contact=masked.get(lead_id), hashes=tuple(sorted(hashes.get(lead_id, ()))))


def _said(row: Fields, before: list[NewVersion], *, versioned: bool) -> NewVersion:
    """What a row says on top of what is known of that moment: a blank does not say that nobody knows."""
    at: Micros = row[AT] if versioned else before[0].created_at or 0
    moments = [(each.at or 0, each) for each in before]
    same = [each for when, each in moments if when == at] or [each for when, each in moments if when < at] or before[:1]
    values = {name: value for name, value in row.items() if value is not None and name not in {LEAD_ID, AT, CHANNEL}}
    said = NewVersion(
        lead_id=row[LEAD_ID],
        created_at=before[0].created_at,
        channel=row[CHANNEL],
        contact=None,
        at=at,
        attributes={**same[-1].attributes, **values},
        hashes=(),
    )
    before.append(said)  # the next row of this lead is said on top of it
    return said


def _versions_of(lead_ids: set[str], live: Live) -> dict[str, list[NewVersion]]:
    """The live versions of each of these leads, in the order of their moments."""
    if not lead_ids:
        return {}
    wanted = ibis.memtable({LEAD_ID: sorted(lead_ids)})
    rows = live.versions.semi_join(wanted, LEAD_ID).order_by([AT, "seq"])
    found: dict[str, list[NewVersion]] = {}
    for lead_id, created_at, channel, at, attributes in _rows(rows, LEAD_ID, CREATED_AT, CHANNEL, AT, "attributes"):
        version = NewVersion(lead_id, created_at, channel, None, at, json.loads(attributes), ())
        found.setdefault(lead_id, []).append(version)
    return found


def _events(raw: Raw, site: Site, live: Live) -> Iterator[NewEvent]:
    heard = live.events.filter(live.events["first"]).select(EVENT_ID, LEAD_ID)
    told = typed_events(raw, site).semi_join(heard, [EVENT_ID, LEAD_ID])
    known = live_events(live.events, site.labels)
    content = (KIND, AT, AMOUNT, *site.labels)
    repeated = [told[EVENT_ID] == known[EVENT_ID], *(told[name].identical_to(known[name]) for name in content)]
    differing = told.anti_join(known, repeated).order_by(lambda row: ibis.coalesce(row[ARRIVED_AT], 0), AT, EVENT_ID)
    for event_id, lead_id, kind, at, amount, *labels in _rows(differing, EVENT_ID, LEAD_ID, *content):
        yield NewEvent(event_id, lead_id, kind, at, amount, dict(zip(site.labels, labels, strict=True)))


def _rows(table: ibis.Table, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in columns) for row in table.select(*columns).to_pyarrow().to_pylist()]
