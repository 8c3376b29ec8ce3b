"""What the server holds in memory of every lead, so that the usual answer reads no file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from sys import intern
from typing import NamedTuple

from features.history import Event, History
from leadlight.schema import ARRIVED_AT, AT, CHANNEL, CREATED_AT, EVENT_ID, KIND, LEAD_ID, UNTIL, Micros
from leadlight.settings import Site
from serving.locks import deciding_kinds


class Member(NamedTuple):
    """A lead's channel and creation, which no later fact changes."""

    channel: str
    created_at: Micros


@dataclass(frozen=True)
class Roster:
    """The leads of one history.

    ``deciding`` has the events of the kinds that decide whether a lead belongs to a population, for leads that have
    any; ``attributes`` maps the attribute columns to ``text`` or ``number``.
    """

    members: Mapping[str, Member]
    deciding: Mapping[str, tuple[Event, ...]]
    attributes: Mapping[str, str]


def read_roster(site: Site, history: History) -> Roster:
    """The roster of ``history``: two scans of a few columns."""
    with history.reading() as tables:
        leads = tables.leads.select(LEAD_ID, CHANNEL, CREATED_AT).to_pyarrow().to_pydict()
        events = tables.events.filter(tables.events[KIND].isin(sorted(deciding_kinds(site))))
        rows = events.select(LEAD_ID, EVENT_ID, KIND, AT, ARRIVED_AT, UNTIL).to_pyarrow().to_pylist()
        schema = tables.attributes.schema()
    deciding: defaultdict[str, list[Event]] = defaultdict(list)
    for row in rows:
        deciding[row.pop(LEAD_ID)].append(Event(**row))
    return Roster(
        members=dict(zip(leads[LEAD_ID], map(Member, map(intern, leads[CHANNEL]), leads[CREATED_AT]), strict=True)),
        deciding={lead_id: tuple(events) for lead_id, events in deciding.items()},
        attributes={
            name: "text" if kind.is_string() else "number"
            for name, kind in schema.items()
            if name not in {LEAD_ID, AT, ARRIVED_AT, CHANNEL}
        },
    )
