"""The two SELECTs of a drafted site: raw columns by their parts, with a comment wherever a person should look."""

from __future__ import annotations

import re
from collections.abc import Iterator

from features.draft.columns import name_of
from features.draft.outcomes import WON
from features.draft.profile import PLACEHOLDERS, ColumnProfile, quoted
from features.draft.roles import EventTable, Roles

__all__ = ["WON", "events_sql", "is_numeric", "kept", "labels_of", "leads_sql"]
_LAST_MICROSECOND = " + INTERVAL 1 DAY - INTERVAL 1 MICROSECOND"
_DOUBTED = re.compile(
    r"(^|_)(owner|adviser|sales|teacher|quality|profile|tags?|index|total|count|level|intention|qualified|[ms]ql)(_|$)"
    r"|累计|总|合计|次数|最近|最后"
)
_STEPS = ((7_000, "days", "a day"), (168_000, "hours", "an hour"), (10_000_000, "minutes", "a minute"))
"""Of a made-up time: up to so many rows, the step that ends it by 2019."""
_FINEST = ("seconds", "a second")


def leads_sql(roles: Roles) -> str:
    """``sources/leads.sql``: one row a lead."""
    columns = [
        f"  {quoted(roles.key.name)}::VARCHAR AS lead_id,",
        f"  {_created(roles)} AS created_at,",
        f"  {_channel(roles.channel)} AS channel,",
        *(f"  {quoted(column.name)}::VARCHAR AS {contact}," for contact, column in roles.contacts.items()),
        *(f"  {_attribute(column)} AS {name},{_doubt(name, column)}" for name, column in kept(roles)),
    ]
    later = [
        f"-- left out: {roles.attributes[name].name}: {reason}\n--   {_attribute(roles.attributes[name])} AS {name}"
        for name, reason in roles.later.items()
    ]
    notes = [f"-- CHECK: {note}" for note in roles.notes]
    left_out = [f"-- left out: {name}: {reason}" for name, reason in roles.left_out.items()]
    head = [
        "-- One row a lead: what is known when it is created. CHECK: leave out every column that sales or the system",
        "-- fills in later (status, owner, last activity, score): such columns know the outcome.",
    ]
    return "\n".join([*head, *notes, *left_out, *later, "SELECT", *columns, f"FROM {roles.leads.scan}", ""])


def kept(roles: Roles) -> list[tuple[str, ColumnProfile]]:
    """The attributes that the draft takes, by their names."""
    return [(name, column) for name, column in roles.attributes.items() if name not in roles.later]


def _created(roles: Roles) -> str:
    if roles.created:
        return moment(roles.created)
    key = quoted(roles.key.name)
    step, words = next(((step, words) for rows, step, words in _STEPS if roles.leads.rows <= rows), _FINEST)
    order = f"to_{step}(row_number() OVER (ORDER BY {key})::INTEGER)"
    return f"TIMESTAMP '2000-01-01' + {order} /* CHECK: no time was found: the order of {key}, {words} each */"


def _channel(column: ColumnProfile | None) -> str:
    if column is None:
        return "'not_recorded' /* CHECK: no channel was found */"
    return f"coalesce(nullif(trim({quoted(column.name)}::VARCHAR), ''), 'not_recorded')"


def _doubt(name: str, column: ColumnProfile) -> str:
    doubted = _DOUBTED.search(name) or _DOUBTED.search(column.name)
    return "  -- CHECK: filled in later, by sales or the system?" if doubted else ""


def _attribute(column: ColumnProfile) -> str:
    name = quoted(column.name)
    if is_numeric(column):
        return column.number or name
    text = f"nullif(trim({name}::VARCHAR), '')"
    if column.placeholders:
        return f"CASE WHEN lower(trim({name}::VARCHAR)) NOT IN {PLACEHOLDERS} THEN {text} END"
    return text


def is_numeric(column: ColumnProfile) -> bool:
    """Whether a column is a number, or can be read as one."""
    return column.is_number or bool(column.number) or column.type == "BOOLEAN"


def events_sql(roles: Roles) -> str:
    """``sources/events.sql``: one row a dated fact."""
    labels = list(dict.fromkeys(label for table in roles.events for label, _ in labels_of(table)))
    selects = [select for table in roles.events for select in _event_selects(table, labels, roles)]
    if not any(table.outcome for table in roles.events):
        selects.append(_won_select(roles, labels))
    head = [
        "-- Every dated fact of a lead, outcomes included. `at` is when it happened, `arrived_at` when it became known",
        "-- (NULL: the delay declared for its kind in leadlight.toml), `amount` in whole thousandths.",
        *(f"-- {words}" for words in roles.outcome),
        *(f"-- not used: {name}: {reason}" for name, reason in roles.unused.items()),
        *(
            f"-- not used: {', '.join(table.more)} of {table.table.name}: further numbers, to be added like the others"
            for table in roles.events
            if table.more
        ),
    ]
    return "\n".join(head) + "\n" + "UNION ALL\n".join(selects)


def _event_selects(table: EventTable, labels: list[str], roles: Roles) -> Iterator[str]:
    """The events of a file, and once more for each further number: an event has one amount."""
    own = dict(labels_of(table))
    told = [f"{quoted(own[label].name) if label in own else 'NULL'}::VARCHAR AS {label}" for label in labels]
    yield _event_select(table, roles, (_event_id(table), _kind(table, table.kinds), table.amount), told, "")
    nothing = [f"NULL::VARCHAR AS {label}" for label in labels]
    for measure in table.measures:
        event_id = f"{_event_id(table)} || ':{measure.name}'"
        rows = f" AND {quoted(measure.column.name)} IS NOT NULL"
        if table.kind is not None:
            named = ", ".join(f"'{_sql(value)}'" for value in measure.kinds)
            rows += f" AND {quoted(table.kind.name)}::VARCHAR IN ({named})"
        yield _event_select(table, roles, (event_id, _kind(table, measure.kinds), measure.column), nothing, rows)


def _event_select(
    table: EventTable, roles: Roles, what: tuple[str, str, ColumnProfile | None], labels: list[str], rows: str
) -> str:
    event_id, kind, amount = what
    arrived = moment(table.arrived) if table.arrived else "NULL::TIMESTAMP"
    lead = "owner_lead" if table.via else f"{quoted(table.lead.name)}::VARCHAR"
    lines = [
        f"  {event_id} AS event_id,",
        f"  {lead} AS lead_id,",
        f"  {kind} AS kind,",
        f"  {_at(table.at)} AS at,",
        f"  {arrived} AS arrived_at,",
        f"  {_amount(amount)} AS amount,",
        *(f"  {label}," for label in labels),
    ]
    lines[-1] = lines[-1].removesuffix(",")
    where = f"WHERE {quoted(table.at.name)} IS NOT NULL" + (f" AND {table.where}" if table.where else "") + rows
    return "\n".join(["SELECT", *lines, f"FROM {table.table.scan}", *_owner(table, roles), where, ""])


def _owner(table: EventTable, roles: Roles) -> list[str]:
    """From another key of the leads to the lead; of several leads that share it, the oldest."""
    if table.via is None:
        return []
    via, key = quoted(table.via.name), quoted(roles.key.name)
    first = f"arg_min({key}::VARCHAR, ({_created(roles)}, {key}))" if roles.created else f"min({key}::VARCHAR)"
    return [
        f"JOIN (SELECT {via}::VARCHAR AS owner_key, {first} AS owner_lead FROM {roles.leads.scan}",
        f"  WHERE {via} IS NOT NULL GROUP BY owner_key) ON {quoted(table.lead.name)}::VARCHAR = owner_key",
    ]


def _event_id(events: EventTable) -> str:
    table = events.table
    name = f"{events.part} {table.name}" if events.part else table.name
    unique = table.unique()
    if unique:
        return f"'{_sql(name)}:' || {quoted(unique[0].name)}"
    everything = ", ".join(f"{quoted(column.name)}" for column in table.columns)
    row = f"concat_ws('|', {everything})"
    return f"'{_sql(name)}:' || md5({row}) || ':' || row_number() OVER (PARTITION BY {everything})"


def _kind(table: EventTable, kinds: dict[str, str]) -> str:
    if table.kind is None:
        return f"'{next(iter(kinds.values()))}'"
    cases = " ".join(f"WHEN '{_sql(value)}' THEN '{kind}'" for value, kind in kinds.items())
    return f"CASE {quoted(table.kind.name)}::VARCHAR {cases} END"


def moment(column: ColumnProfile) -> str:
    """The SQL that reads a column as a date or a moment."""
    return column.moment or quoted(column.name)


def _at(column: ColumnProfile) -> str:
    name = moment(column)
    if column.whole_days:
        return f"{name}::TIMESTAMP{_LAST_MICROSECOND} /* a day without time: its end, so nothing counts too early */"
    return name


def _amount(column: ColumnProfile | None) -> str:
    return "NULL::BIGINT" if column is None else f"round({column.number or quoted(column.name)} * 1000)::BIGINT"


def _won_select(roles: Roles, labels: list[str]) -> str:
    key = quoted(roles.key.name)
    if roles.won_at:
        at, where = _at(roles.won_at), f"{quoted(roles.won_at.name)} IS NOT NULL"
    elif roles.won_if:
        at = f"{_created(roles)} + INTERVAL 1 SECOND /* CHECK: undated, so taken to be immediate */"
        where = roles.won_if
    else:
        at, where = _created(roles), "false /* CHECK: no outcome was found; say here which leads were won, and when */"
    columns = "".join(f",\n  NULL::VARCHAR AS {label}" for label in labels)
    return f"""SELECT * EXCLUDE won FROM (SELECT
  'won:' || {key} AS event_id,
  {key}::VARCHAR AS lead_id,
  '{WON}' AS kind,
  {at} AS at,
  NULL::TIMESTAMP AS arrived_at,
  NULL::BIGINT AS amount{columns},
  {where} AS won
FROM {roles.leads.scan}) WHERE won
"""


def labels_of(table: EventTable) -> list[tuple[str, ColumnProfile]]:
    """The labels of a file of events, by their names; the place in the file where a name has no word we know."""
    taken: set[str] = set()
    places = {column.name: place for place, column in enumerate(table.table.columns, start=1)}
    return [(name_of(column.name, taken, f"c{places[column.name]}"), column) for column in table.labels]


def _sql(value: str) -> str:
    return value.replace("'", "''")
