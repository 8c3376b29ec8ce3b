"""The raw tables in Leadlight's own types: moments in µs, blanks missing, contacts masked, corrections dated.

``typed_leads`` and ``typed_events`` never fail, whatever came: what cannot be read is missing there, and beside each
moment stands its raw text, so that ``features.checks`` can tell an unreadable moment from one that was not given.
``canonical`` turns tables that passed the check into those of the history.
"""

from __future__ import annotations

import ibis
import ibis.expr.datatypes as types

from features.catalogue import Attribute, Catalogue
from features.facts import Tables
from features.identity import HASHED, IDENTITY, Key, hashed_contacts, masked_contact
from features.sources import Raw
from leadlight.schema import (
    AMOUNT,
    ARRIVED_AT,
    AT,
    CHANNEL,
    CONTACTS,
    CREATED_AT,
    EVENT_ID,
    KIND,
    KNOWN_AT,
    LEAD_COLUMNS,
    LEAD_ID,
    UNTIL,
    Micros,
)
from leadlight.settings import Site

RAW = "raw."
"""What stands before the name of a raw text: no attribute can be called so."""
MASKED = "masked.contact"

_BLANK = r"^[\s\p{Z}]*$"
_ZONED = r":\d\d(\.\d+)?\s*[A-Za-z+-]"
_epoch_us = ibis.udf.scalar.builtin(lambda moment: moment, name="epoch_us", signature=((types.timestamp,), types.int64))


def canonical(raw: Raw, site: Site, catalogue: Catalogue, *, key: Key | None = None) -> Tables:
    """The tables of the history, out of raw ones that passed the check; expressions that DuckDB has not run yet.

    Contacts are hashed with ``key``; without it there are none. Nobody is merged yet: that is for
    ``features.identity.identity_table`` to say.
    """
    leads = typed_leads(raw, site, catalogue)
    return Tables(
        leads=_known_leads(leads),
        attributes=superseded(lead_versions(leads), LEAD_ID, AT),
        events=superseded(event_versions(typed_events(raw, site), site), EVENT_ID),
        contacts=hashed_of(raw.leads, site, key),
        identity=ibis.memtable(IDENTITY.empty_table()),
    )


def superseded(versions: ibis.Table, *one_fact: str) -> ibis.Table:
    """``versions`` with ``until``: each version of a fact is known until the next one arrives."""
    arrivals = ibis.window(group_by=one_fact, order_by=ARRIVED_AT)
    return versions.mutate(**{UNTIL: versions[ARRIVED_AT].lead().over(arrivals)})


def lead_versions(leads: ibis.Table) -> ibis.Table:
    """The distinct versions among typed leads, without what is no attribute; one is known when it holds, if unsaid."""
    fixed = {*LEAD_COLUMNS, AT, ARRIVED_AT, MASKED}
    attributes = [column for column in leads.columns if column not in fixed and not column.startswith(RAW)]
    return leads.select(LEAD_ID, AT, _arrival(leads).name(ARRIVED_AT), CHANNEL, *attributes).distinct()


def event_versions(events: ibis.Table, site: Site) -> ibis.Table:
    """The distinct versions among typed events; the kind's declared delay stands in for an unrecorded arrival."""
    delay = ibis.cases(*((events[KIND] == name, kind.delay) for name, kind in site.kinds.items()), else_=0)
    arrived_at = ibis.coalesce(events[ARRIVED_AT], events[AT] + delay).name(ARRIVED_AT)
    return events.select(LEAD_ID, AT, EVENT_ID, arrived_at, KIND, AMOUNT, *site.labels).distinct()


def _known_leads(leads: ibis.Table) -> ibis.Table:
    """The channel is that of the first version we heard: one that came later would tell of the future."""
    arrived_at = _arrival(leads)
    return leads.group_by(LEAD_ID).agg(
        created_at=leads[CREATED_AT].min(),
        known_at=arrived_at.min(),
        channel=leads[CHANNEL].first(order_by=[arrived_at, leads[AT]]),
        contact=leads[MASKED].last(order_by=[leads[AT], arrived_at]),
    )


def _arrival(leads: ibis.Table) -> ibis.Value:
    return ibis.coalesce(leads[ARRIVED_AT], leads[AT])


def hashed_of(leads: ibis.Table, site: Site, key: Key | None) -> ibis.Table:
    """The contacts of raw leads, hashed; without a key there are none."""
    shown = [column for column in CONTACTS if column in leads.columns]
    if key is None or not shown:
        return ibis.memtable(HASHED.empty_table())
    moments = [_moment(leads, column, site.offset) for column in (ARRIVED_AT, AT, CREATED_AT)]
    texts = {column: _text(leads, column) for column in (LEAD_ID, *shown)}
    given = leads.select(**texts, **{KNOWN_AT: ibis.coalesce(*moments)}).to_pyarrow()
    return ibis.memtable(hashed_contacts(given, key, site.identity.region))


def typed_leads(raw: Raw, site: Site, catalogue: Catalogue) -> ibis.Table:
    """Each row of the raw leads, typed; without versions its attributes hold from the lead's creation."""
    leads = raw.leads
    created_at = _moment(leads, CREATED_AT, site.offset)
    return leads.select(
        _text(leads, LEAD_ID).name(LEAD_ID),
        created_at.name(CREATED_AT),
        _text(leads, CHANNEL).name(CHANNEL),
        masked_contact(leads).name(MASKED),
        (_moment(leads, AT, site.offset) if AT in leads.columns else created_at).name(AT),
        _moment(leads, ARRIVED_AT, site.offset).name(ARRIVED_AT),
        *(_text(leads, column).name(RAW + column) for column in (CREATED_AT, AT, ARRIVED_AT)),
        *(
            (_text(leads, column) if kind == "text" else _number(leads[column])).name(column)
            for column, kind in attribute_types(leads, catalogue).items()
        ),
    )


def typed_events(raw: Raw, site: Site) -> ibis.Table:
    """Each row of the raw events, typed."""
    events = raw.events
    amount = events[AMOUNT].try_cast("int64") if AMOUNT in events.columns else ibis.null("int64")
    return events.select(
        *(_text(events, column).name(column) for column in (EVENT_ID, LEAD_ID, KIND)),
        *(_moment(events, column, site.offset).name(column) for column in (AT, ARRIVED_AT)),
        amount.name(AMOUNT),
        *(_text(events, column).name(RAW + column) for column in (AT, ARRIVED_AT, AMOUNT)),
        *(_text(events, label).name(label) for label in site.labels),
    )


def attribute_types(leads: ibis.Table, catalogue: Catalogue) -> dict[str, str]:
    """Each attribute column of the raw leads: ``text`` or ``number``, as the catalogue declares or else as it came."""
    declared = {entry.column: entry.type for entry in catalogue.feature if isinstance(entry, Attribute)}
    columns = [c for c in leads.columns if c not in {*LEAD_COLUMNS, *CONTACTS, AT, ARRIVED_AT}]
    return {c: declared.get(c, "text" if leads[c].type().is_string() else "number") for c in columns}


def _text(table: ibis.Table, column: str) -> ibis.Value:
    if column not in table.columns:
        return ibis.null("string")
    text = table[column].cast("string")
    return ibis.ifelse(text.re_search(_BLANK), ibis.null("string"), text)


def _number(column: ibis.Column) -> ibis.Value:
    number = column.try_cast("float64")
    return ibis.ifelse(number.isnan(), ibis.null("float64"), number)


def _moment(table: ibis.Table, column: str, offset: Micros) -> ibis.Value:
    """Local unless it carries a zone of its own; a date is its midnight; missing if it is not given or unreadable."""
    if column not in table.columns:
        return ibis.null("int64")
    moment = table[column]
    if moment.type().is_timestamp() and moment.type().timezone is not None:
        return _epoch_us(moment)
    if not (moment.type().is_timestamp() or moment.type().is_date() or moment.type().is_string()):
        return ibis.null("int64")
    local = _epoch_us(moment.try_cast("timestamp")) - offset
    if not moment.type().is_string():
        return local
    zoned = _epoch_us(moment.try_cast(types.Timestamp("UTC")))
    return ibis.ifelse(moment.re_search(_ZONED), zoned, local)
