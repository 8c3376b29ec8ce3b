"""The rules that every row of the raw tables must keep."""

from __future__ import annotations

from collections.abc import Iterator

import ibis

from features.canonical import RAW
from features.checks.finding import Rule
from leadlight.schema import (
    AMOUNT,
    ARRIVED_AT,
    AT,
    CHANNEL,
    CREATED_AT,
    EVENT_ID,
    EVERYBODY,
    ID_AT_MOST,
    ID_PATTERN,
    ID_WORDS,
    KIND,
    LEAD_CREATED,
    LEAD_ID,
    Micros,
)
from leadlight.settings import Site


def lead_rules(leads: ibis.Table, site: Site, wall: Micros) -> Iterator[Rule]:
    """The rules of every row of leads, typed."""
    yield Rule(leads[LEAD_ID].isnull(), "without lead_id", "every lead needs one", (LEAD_ID, RAW + CREATED_AT))
    odd = (leads[LEAD_ID].length() > ID_AT_MOST) | ~leads[LEAD_ID].re_search(f"^{ID_PATTERN}$")
    yield Rule(odd, "with a lead_id that no request could name", f"an id has {ID_WORDS}", (LEAD_ID,))
    advice = "a lead must come from somewhere; where that was not recorded, say 'not_recorded'"
    yield Rule(leads[CHANNEL].isnull(), "without channel", advice, (CHANNEL, LEAD_ID))
    advice = f"{EVERYBODY} stands for everybody in context features; map it to another name"
    yield Rule(leads[CHANNEL] == EVERYBODY, f"come through a channel called {EVERYBODY}", advice, (CHANNEL, LEAD_ID))
    if site.channels:
        advice = f"[channels] of leadlight.toml declares {', '.join(site.channels)}; declare it or map it"
        yield Rule(leads[CHANNEL].notin(list(site.channels)), "with an unknown channel", advice, (CHANNEL,))
    yield from _moment_rules(leads, CREATED_AT, wall, LEAD_ID)


def single_rule(leads: ibis.Table) -> Rule:
    """Without versions there is one row a lead."""
    rows = leads.count().over(ibis.window(group_by=LEAD_ID))
    advice = "return one row a lead, or at and arrived_at if these rows are its versions"
    return Rule((rows > 1) & leads[LEAD_ID].notnull(), "with the lead_id of another row", advice, (LEAD_ID,))


def version_rules(leads: ibis.Table, wall: Micros) -> Iterator[Rule]:
    """With versions each has its time, and all agree on the lead's creation."""
    versions = ibis.window(group_by=LEAD_ID)
    several = leads[CREATED_AT].min().over(versions) < leads[CREATED_AT].max().over(versions)
    advice = "a lead is created once; let all its versions say the same"
    yield Rule(several, "with another created_at than the lead's other versions", advice, (LEAD_ID, RAW + CREATED_AT))
    yield from _moment_rules(leads, AT, wall, LEAD_ID)
    yield from _arrival_rules(leads, wall, LEAD_ID)


def finite_rule(leads: ibis.Table, column: str) -> Rule:
    """An attribute that is a number is a finite one."""
    return Rule(
        leads[column].isinf(), f"with an infinite {column}", "return NULL where it is unknown", (LEAD_ID, column)
    )


def event_rules(events: ibis.Table, site: Site, wall: Micros) -> Iterator[Rule]:
    """The rules of every row of events, typed."""
    for column in (EVENT_ID, LEAD_ID, KIND):
        yield Rule(events[column].isnull(), f"without {column}", "every event needs one", (column, RAW + AT))
    same_id = ibis.window(group_by=EVENT_ID)
    shared = events[LEAD_ID].min().over(same_id) < events[LEAD_ID].max().over(same_id)
    advice = "an event_id names one event of one lead; where the source counts per lead, put the lead_id into it"
    yield Rule(shared & events[EVENT_ID].notnull(), "with the event_id of another lead's event", advice, (EVENT_ID,))
    too_large = events[RAW + AMOUNT].notnull() & events[AMOUNT].isnull()
    yield Rule(too_large, "with an amount beyond 64 bits", "amounts are whole thousandths", (RAW + AMOUNT, EVENT_ID))
    yield from _kind_rules(events, site)
    yield from _moment_rules(events, AT, wall, EVENT_ID)
    yield from _arrival_rules(events, wall, EVENT_ID)


def known_lead_rule(events: ibis.Table, leads: ibis.Table) -> Rule:
    """An event belongs to a lead that the site knows."""
    known = events[LEAD_ID].isin(leads.filter(leads[LEAD_ID].notnull())[LEAD_ID])
    advice = "sources/leads.sql does not return these leads; add them, or leave their events out"
    return Rule(~known, "of unknown leads", advice, (LEAD_ID, EVENT_ID))


def live_event_rule(events: ibis.Table, live: ibis.Table) -> Rule:
    """An event that came live stays the event of its lead: a row that gives it to another is set aside."""
    named = events[EVENT_ID] + "\n" + events[LEAD_ID]
    stray = events[EVENT_ID].isin(live[EVENT_ID]) & named.notin(live[EVENT_ID] + "\n" + live[LEAD_ID])
    advice = "set aside, for an event_id names one event of one lead: put its source into the one here or in the API"
    return Rule(stray, "with the event_id of another lead's live event", advice, (EVENT_ID, LEAD_ID))


def _kind_rules(events: ibis.Table, site: Site) -> Iterator[Rule]:
    kind, declared = events[KIND], list(site.kinds)
    advice = "this kind is Leadlight's own, for the creation of a lead; leave it out or give it another name"
    yield Rule(kind == LEAD_CREATED, f"of kind {LEAD_CREATED}", advice, (KIND, EVENT_ID))
    advice = f"leadlight.toml declares {', '.join(declared)}; declare it as [kinds.NAME], map it or leave it out"
    yield Rule(kind.notin([*declared, LEAD_CREATED]), "of an unknown kind", advice, (KIND,))
    for label in site.labels:
        users = [name for name, settings in site.kinds.items() if label in settings.labels]
        stray = kind.isin(declared) & kind.notin(users) & events[label].notnull()
        advice = f"it is declared for {', '.join(users)}; add it to the labels of [kinds.NAME], or return NULL"
        yield Rule(stray, f"with the label {label}, which the kind does not declare", advice, (KIND, label))


def _moment_rules(rows: ibis.Table, column: str, wall: Micros, key: str) -> Iterator[Rule]:
    yield Rule(rows[RAW + column].isnull(), f"without {column}", "every row needs its time", (key, RAW + column))
    yield from _given_moment_rules(rows, column, wall, key)


def _arrival_rules(rows: ibis.Table, wall: Micros, key: str) -> Iterator[Rule]:
    yield from _given_moment_rules(rows, ARRIVED_AT, wall, key)
    advice = "nothing is known before it happens; look for swapped columns or a wrong UTC offset"
    show = (key, RAW + AT, RAW + ARRIVED_AT)
    yield Rule(rows[ARRIVED_AT] < rows[AT], "with an arrived_at before at", advice, show)


def _given_moment_rules(rows: ibis.Table, column: str, wall: Micros, key: str) -> Iterator[Rule]:
    show = (key, RAW + column)
    unreadable = rows[RAW + column].notnull() & rows[column].isnull()
    advice = "a time is local, like 2025-01-31 18:30:00, or has a zone of its own, like 2025-01-31T10:30:00Z"
    yield Rule(unreadable, f"with {column} that is no time", advice, show)
    yield Rule(rows[column] > wall, f"with {column} in the future", "look for a wrong year or UTC offset", show)
