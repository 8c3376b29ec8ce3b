"""Live facts beside recorded ones, as tables: what a build takes into the base, and what a server reads since then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import ibis
import ibis.expr.datatypes as types
import pyarrow as pa

from features.canonical import superseded
from features.facts import Tables
from features.identity import HASHED, Edge, Key, rekeyed
from features.identity.contacts import HASH, TYPE
from features.log import Tail
from leadlight.schema import (
    AMOUNT,
    ARRIVED_AT,
    AT,
    CHANNEL,
    CONTACT,
    CREATED_AT,
    EVENT_ID,
    KIND,
    KNOWN_AT,
    LEAD_ID,
    UNTIL,
)

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

_LIVE = "_live"
_FLOAT = types.Float64()
_TYPES: dict[str, types.DataType] = {"text": types.String(), "number": _FLOAT}

_json_text = ibis.udf.scalar.builtin(
    lambda text, _path: text, name="json_extract_string", signature=((types.string, types.string), types.string)
)


@dataclass(frozen=True)
class Live:
    """A stretch of the log as tables, in its own columns (``features.log.tail``)."""

    versions: ibis.Table
    events: ibis.Table
    contacts: ibis.Table
    tombstones: ibis.Table
    edges: tuple[Edge, ...]

    @classmethod
    def read(cls, tail: Tail, connection: Backend, key: Key | None) -> Live:
        """``tail`` as tables of ``connection``; contacts hashed before ``key`` was extended are under it now."""
        hashes = tail.contacts[HASH].to_pylist()
        newest = pa.array(hashes if key is None else [rekeyed(each, key) for each in hashes], pa.string())
        contacts = tail.contacts.set_column(tail.contacts.schema.get_field_index(HASH), HASH, newest)
        tables = {"versions": tail.versions, "events": tail.events, "contacts": contacts, "tombstones": tail.tombstones}
        edges = tail.edges.select(list(Edge.__dataclass_fields__)).to_pylist()
        return cls(
            **{name: connection.create_table(f"live_{name}", table, overwrite=True) for name, table in tables.items()},
            edges=tuple(Edge(**edge) for edge in edges),
        )


def with_live(tables: Tables, live: Live) -> Tables:
    """``tables`` and the ``live`` facts as one history; who is who is left as it was.

    What the log says of a fact's arrival counts: of a lead or an event that it was the first to know, the other rows of
    ``tables`` say nothing; nor do those that give a live event to another lead. Leads that were erased are in neither.
    """
    live = of_known(live)
    heard, happened = live.versions.filter(live.versions["first"]), live.events.filter(live.events["first"])
    leads, attributes, events, contacts = (
        _without_erased(each, live) for each in (tables.leads, tables.attributes, tables.events, tables.contacts)
    )
    events = _of_their_leads(events, live.events)
    return replace(
        tables,
        leads=_leads(leads.anti_join(heard, LEAD_ID), live.versions),
        attributes=superseded(
            _both(attributes.anti_join(heard, LEAD_ID), live.versions, "attributes", LEAD_ID, AT), LEAD_ID, AT
        ),
        events=superseded(_both(events.anti_join(happened, EVENT_ID), live.events, "labels", EVENT_ID), EVENT_ID),
        contacts=_contacts(contacts.anti_join(heard, LEAD_ID), live.contacts),
    )


def of_known(live: Live) -> Live:
    """The live facts of leads that were not erased since."""
    versions, events, contacts = (_without_erased(each, live) for each in (live.versions, live.events, live.contacts))
    return replace(live, versions=versions, events=events, contacts=contacts)


def _without_erased(rows: ibis.Table, live: Live) -> ibis.Table:
    """The hash is that of ``features.log.lead_hash``; few sites have any, and none shall pay for it."""
    if not live.tombstones.count().to_pyarrow().as_py():
        return rows
    return rows.anti_join(live.tombstones, rows[LEAD_ID].hexdigest("sha256") == live.tombstones["lead_hash"])


def _of_their_leads(recorded: ibis.Table, live: ibis.Table) -> ibis.Table:
    """The recorded events without those that have the id of another lead's live event."""
    others = live.select(EVENT_ID, _holder=LEAD_ID).distinct()
    return recorded.anti_join(others, [recorded[EVENT_ID] == others[EVENT_ID], recorded[LEAD_ID] != others["_holder"]])


def _leads(recorded: ibis.Table, versions: ibis.Table) -> ibis.Table:
    """Each lead as it was first heard of, with the contact that was shown last."""
    order = [versions[ARRIVED_AT], versions["seq"]]
    live = versions.group_by(LEAD_ID).agg(
        created_at=versions[CREATED_AT].min(),
        known_at=versions[ARRIVED_AT].min(),
        channel=versions[CHANNEL].first(order_by=order),
        contact=versions[CONTACT].last(order_by=[versions[AT], *order]),
    )
    both = recorded.mutate(**{_LIVE: 0}).union(live.select(*recorded.columns).mutate(**{_LIVE: 1}))
    return both.group_by(LEAD_ID).agg(
        created_at=both[CREATED_AT].min(),
        known_at=both[KNOWN_AT].min(),
        channel=both[CHANNEL].first(order_by=[both[KNOWN_AT], both[_LIVE]]),
        contact=both[CONTACT].last(order_by=both[_LIVE]),
    )


def _both(recorded: ibis.Table, live: ibis.Table, rest: str, *one_fact: str) -> ibis.Table:
    """The versions of both; of what is in both with one arrival, the live one."""
    recorded = recorded.drop(UNTIL).anti_join(live, [*one_fact, ARRIVED_AT])
    columns = {
        name: live[name] if name in live.columns else _value(live[rest], name, kind)
        for name, kind in recorded.schema().items()
    }
    return recorded.union(live.select(**columns))


def _value(values: ibis.Value, name: str, kind: types.DataType) -> ibis.Value:
    """What stands under ``name``; a text that came while it was no number yet is none, and so unknown."""
    text = _json_text(values, f"$.{name}")
    if not kind.is_floating():
        return text.cast(kind.copy(nullable=True))
    number = text.try_cast("float64")
    return ibis.ifelse(number.isnan() | number.isinf(), ibis.null("float64"), number)


def live_values(versions: ibis.Table, kinds: Mapping[str, str]) -> ibis.Table:
    """``lead_id``, ``at`` and the channel and attributes of live versions, each a ``text`` or a ``number``."""
    columns = {
        name: versions[name] if name == CHANNEL else _value(versions["attributes"], name, _TYPES[kind])
        for name, kind in kinds.items()
    }
    return versions.select(LEAD_ID, AT, **columns)


def live_events(events: ibis.Table, labels: Iterable[str]) -> ibis.Table:
    """Live events, their labels as columns."""
    return events.select(
        EVENT_ID, LEAD_ID, KIND, AT, AMOUNT, **{label: _json_text(events["labels"], f"$.{label}") for label in labels}
    )


def unreadable_values(live: Live, numbers: Iterable[str]) -> dict[str, int]:
    """How many live versions have a text where the attribute is now one of ``numbers``, for those that have any."""
    versions = _without_erased(live.versions, live)
    counts = {}
    for name in numbers:
        text, number = _json_text(versions["attributes"], f"$.{name}"), _value(versions["attributes"], name, _FLOAT)
        counts[name] = int(versions.filter(text.notnull(), number.isnull()).count().to_pyarrow().as_py())
    return {name: count for name, count in counts.items() if count}


def _contacts(recorded: ibis.Table, live: ibis.Table) -> ibis.Table:
    """Who showed which contact, and the earliest moment from which that is known."""
    both = recorded.select(*HASHED.names).union(live.rename({KNOWN_AT: ARRIVED_AT}).select(*HASHED.names))
    return both.group_by([LEAD_ID, TYPE, HASH]).agg(**{KNOWN_AT: both[KNOWN_AT].min()})
