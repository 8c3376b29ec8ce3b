"""From profiles to parts: which file and column plays which part, as far as names and values tell."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from features.draft.attributes import attributes_of
from features.draft.columns import CONTACT, best, first, names_people
from features.draft.keys import CREATED, find_leads
from features.draft.outcomes import WON, Candidate, choose, strength
from features.draft.profile import ColumnProfile, TableProfile
from features.draft.restated import restating
from features.draft.roles import EventTable, Roles
from features.draft.tables import event_tables

_CHANNEL = re.compile(r"channel|source|medium|campaign|渠道|来源", re.IGNORECASE)
_LAST = re.compile(r"last|latest|updat|modif|clos|won|lost|最近|最后|更新|修改|成交|下次|next", re.IGNORECASE)


def guess(tables: list[TableProfile], data: Path, asked: str | None = None) -> Roles:
    """The likeliest part of every file and column; ``asked`` names the outcome.

    A ``SiteError`` where no table of leads can be told, or nothing is called like the outcome asked for.
    """
    found = find_leads(tables, data)
    leads, key = found.table, found.key
    events, unused = event_tables(found.others, leads, key, data, {WON})
    outcome, words = choose(leads, key, events, data, asked)
    won_at = outcome.at if outcome else None
    won_if = outcome.won if outcome and not outcome.dated else ""
    times = [c for c in leads.columns if c.is_moment]
    created = best([c for c in times if c is not won_at and not _LAST.search(c.name)], CREATED)
    flag = outcome.column if outcome else None
    spoken = {key.name, *(c.name for c in (created, flag, won_at) if c)}
    contacts = _contacts(leads, spoken)
    spoken |= {c.name for c in contacts.values()}
    channel = first([c for c in leads.columns if c.name not in spoken and not c.is_number], _CHANNEL)
    spoken |= {channel.name} if channel else set()
    settled = restating(leads, outcome.won if outcome else "", spoken, data)
    attributes, left_out, later = attributes_of(leads, spoken, settled, data)
    return Roles(
        leads,
        key,
        created,
        channel,
        contacts,
        attributes,
        left_out,
        won_at,
        won_if,
        _with(events, outcome),
        unused,
        later,
        found.notes,
        words,
    )


def _contacts(leads: TableProfile, spoken: set[str]) -> dict[str, ColumnProfile]:
    free = [c for c in leads.columns if c.name not in spoken and names_people(c)]
    return {contact: column for contact, pattern in CONTACT.items() if (column := first(free, pattern))}


def _with(events: tuple[EventTable, ...], outcome: Candidate | None) -> tuple[EventTable, ...]:
    """The events, with those that count as success marked, or added where they are rows of a file by a condition."""
    if outcome is None or outcome.table is None:
        return events
    if outcome.event is not None:
        return (*events, outcome.event)
    return tuple(replace(each, won=_won(each, outcome)) for each in events)


def _won(events: EventTable, outcome: Candidate) -> tuple[str, ...]:
    """The kinds of ``events`` that count: those taken, and all of another file of the same facts (a later release)."""
    taken = outcome.table
    if taken is None or events is taken:
        return outcome.kinds
    whole = events.kind is None and taken.kind is None and not events.part and not taken.part
    same = whole and (events.at.name, events.lead.name) == (taken.at.name, taken.lead.name)
    return tuple(events.kinds.values()) if same and strength(events.table.name) == outcome.strength else events.won
