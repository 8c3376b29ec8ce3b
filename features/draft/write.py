"""The four files of a drafted site, with a comment wherever a person should look."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from features.draft.profile import PLACEHOLDERS, ColumnProfile, TableProfile, quoted
from features.draft.roles import EventTable, Roles, is_outcome, name_of

_LAST_MICROSECOND = " + INTERVAL 1 DAY - INTERVAL 1 MICROSECOND"
WON = "converted"
_LATER = re.compile(r"status|stage|last|latest|owner|score|quality|profile|tag|notable|reason|close|final|total|index")


def files(name: str, roles: Roles) -> dict[str, str]:
    """The text of each file by its path inside the site's folder."""
    return {
        "leadlight.toml": _settings(name_of(name, set(), "site"), roles),
        "catalogue.toml": "\n".join(_catalogue(roles)),
        "sources/leads.sql": _leads_sql(roles),
        "sources/events.sql": _events_sql(roles),
    }


def _settings(name: str, roles: Roles) -> str:
    immediate = not any(table.outcome for table in roles.events) and roles.won_at is None
    outcomes = _outcomes(roles)
    dated = bool(roles.events)
    horizon, offset = ("1h", "0s") if immediate else ("30d", "1d" if dated else "0s")
    kinds = "\n".join(_kinds(roles))
    return f"""# A draft by `leadlight init`: the guesses are marked CHECK; docs/sites.md explains each key.
[site]
name = "{name}"
title = {{ zh = "{name}", en = "{name}" }}
utc_offset = "+08:00"        # CHECK: the fixed offset of the site's days and of times written without one

[clock]
at = "last_fact"             # now is the newest fact of these files; "wall" once the sources are live

{kinds}
[targets.{WON}]
zh = "成交"
en = "buys"
outcome = {_list(outcomes)}  # CHECK: the kinds of event that count as success
horizon = "{horizon}"        # CHECK: within how long after the observation it must happen
outcome_delay = "0s"         # how late an outcome may reach the data

[targets.{WON}.observe]      # CHECK: when leads are looked at, in training; see docs/sites.md
offsets = ["{offset}"]       # this long after creation; or: every = "monday" with until = "60d"

[targets.{WON}.split]
test_share = 0.2             # the latest share of rows judges the model; or: train_until and test_from dates

[targets.{WON}.operate]
flag_share = 0.10            # CHECK: the share of leads that sales can follow at once

[targets.{WON}.gate]         # CHECK: what a model must prove before it goes live, each on a lower confidence bound
precision = 0.20
recall = 0.20

[targets.{WON}.grades]       # shares of leads; the rest is D
A = 0.05
B = 0.15
C = 0.30
"""


def _outcomes(roles: Roles) -> list[str]:
    named = [kind for table in roles.events if table.outcome for kind in _winning(table)]
    return list(dict.fromkeys(named)) or [WON]


def _winning(table: EventTable) -> list[str]:
    named = [kind for value, kind in table.kinds.items() if is_outcome(value)]
    return named or list(table.kinds.values())


def _kinds(roles: Roles) -> Iterator[str]:
    for table in roles.events:
        labels = [label for label, _ in _labels(table)]
        for value, kind in table.kinds.items():
            yield f'[kinds.{kind}]\nlabels = {_list(labels)}\nzh = "{_text(value)}"\nen = "{_text(value)}"\n'
    if not any(table.outcome for table in roles.events):
        yield f'[kinds.{WON}]\nzh = "成交"\nen = "converted"\n'


def _catalogue(roles: Roles) -> Iterator[str]:
    yield "# A draft by `leadlight init`. One [[feature]] is one entry; docs/features.md explains the kinds.\n"
    yield _entry("channel", "attribute", 'column = "channel"', "渠道", "channel", theme="channel_profile")
    taken = {"channel", "lead_age"}
    for name, column in roles.attributes.items():
        kind = "number" if _is_numeric(column) else "text"
        extra = f'column = "{name}"\ntype = "{kind}"'
        yield _entry(
            name_of(name, taken, "attribute"), "attribute", extra, column.name, column.name, theme="channel_profile"
        )
    if roles.events:
        yield _entry("lead_age", "age", 'unit = "days"', "线索天数", "days since creation", theme="life_cycle")
    for table in roles.events:
        for kind in table.kinds.values():
            if kind not in _outcomes(roles):
                yield from _behaviour(kind, table, taken)
    if roles.events:
        yield from _context(roles)


def _behaviour(kind: str, table: EventTable, taken: set[str]) -> Iterator[str]:
    windows = 'windows = ["1d", "7d", "30d", "all"]'
    of = f'events = ["{kind}"]\ngroup = "{kind}"'
    name = name_of(kind, taken, "event")
    yield _entry(name, "count", f"{of}\n{windows}", f"近{{window}}{kind}次数", f"{kind} in {{window}}")
    yield _entry(
        f"{name}_days", "active_days", f"{of}\n{windows}", f"近{{window}}{kind}天数", f"days with {kind} in {{window}}"
    )
    yield _entry(
        f"{name}_last", "last_age", f'{of}\nunit = "hours"', f"距上次{kind}小时", f"hours since the last {kind}"
    )
    yield _entry(
        f"{name}_first", "first_age", f'{of}\nunit = "hours"', f"距首次{kind}小时", f"hours since the first {kind}"
    )
    if table.amount:
        yield _entry(
            f"{name}_sum",
            "sum",
            f"{of}\n{windows}",
            f"近{{window}}{kind}合计",
            f"{table.amount.name} of {kind} in {{window}}",
        )
    for label, column in _labels(table):
        text = f'{of}\nof = "{label}"'
        yield _entry(
            f"{name}_{label}",
            "distinct",
            f'{text}\nwindows = ["7d", "all"]',
            f"近{{window}}{kind}不同{column.name}数",
            f"different {column.name} of {kind} in {{window}}",
        )
        yield _entry(
            f"{name}_{label}_top", "top", text, f"{kind}最常{column.name}", f"most frequent {column.name} of {kind}"
        )
        yield _entry(
            f"{name}_{label}_last",
            "last_value",
            text,
            f"最近{kind}的{column.name}",
            f"{column.name} of the last {kind}",
        )


def _context(roles: Roles) -> Iterator[str]:
    outcomes = _list(_outcomes(roles))
    windows = 'windows = ["7d"]'
    yield _entry(
        "new_leads",
        "context",
        f'events = ["lead_created"]\n{windows}',
        "近{window}新线索数",
        "new leads of everybody in {window}",
        theme="life_cycle",
    )
    yield _entry(
        "won_leads",
        "context",
        f"events = {outcomes}\n{windows}",
        "近{window}成交数",
        "outcomes of everybody in {window}",
        theme="life_cycle",
    )


def _entry(name: str, kind: str, extra: str, *words: str, theme: str = "behaviour") -> str:
    zh, en = words
    text = f'zh = "{_text(zh)}"\nen = "{_text(en)}"'
    return f'[[feature]]\nname = "{name}"\nkind = "{kind}"\n{extra}\n{text}\ntheme = "{theme}"\n'


def _leads_sql(roles: Roles) -> str:
    columns = [
        f"  {quoted(roles.key.name)}::VARCHAR AS lead_id,",
        f"  {_created(roles)} AS created_at,",
        f"  {_channel(roles.channel)} AS channel,",
        *(f"  {quoted(column.name)}::VARCHAR AS {contact}," for contact, column in roles.contacts.items()),
        *(f"  {_attribute(column)} AS {name},{_doubt(name)}" for name, column in roles.attributes.items()),
    ]
    left_out = [f"-- left out: {name}: {reason}" for name, reason in roles.left_out.items()]
    head = [
        "-- One row a lead: what is known when it is created. CHECK: leave out every column that sales or the system",
        "-- fills in later (status, owner, last activity, score): such columns know the outcome.",
    ]
    return "\n".join([*head, *left_out, "SELECT", *columns, f"FROM {roles.leads.scan}", ""])


def _created(roles: Roles) -> str:
    if roles.created:
        return quoted(roles.created.name)
    key = quoted(roles.key.name)
    order = f"to_days(row_number() OVER (ORDER BY {key})::INTEGER)"
    return f"TIMESTAMP '2000-01-01' + {order} /* CHECK: no time was found: the order of {key}, a day each */"


def _channel(column: ColumnProfile | None) -> str:
    if column is None:
        return "'not_recorded' /* CHECK: no channel was found */"
    return f"coalesce(nullif(trim({quoted(column.name)}::VARCHAR), ''), 'not_recorded')"


def _doubt(name: str) -> str:
    return "  -- CHECK: filled in later, by sales or the system?" if _LATER.search(name) else ""


def _attribute(column: ColumnProfile) -> str:
    name = quoted(column.name)
    if _is_numeric(column):
        return name
    text = f"nullif(trim({name}::VARCHAR), '')"
    if column.placeholders:
        return f"CASE WHEN lower(trim({name}::VARCHAR)) NOT IN {PLACEHOLDERS} THEN {text} END"
    return text


def _is_numeric(column: ColumnProfile) -> bool:
    return column.is_number or column.type == "BOOLEAN"


def _events_sql(roles: Roles) -> str:
    labels = list(dict.fromkeys(label for table in roles.events for label, _ in _labels(table)))
    selects = [_event_select(table, labels) for table in roles.events]
    if not any(table.outcome for table in roles.events):
        selects.append(_won_select(roles, labels))
    head = [
        "-- Every dated fact of a lead, outcomes included. `at` is when it happened, `arrived_at` when it became known",
        "-- (NULL: the delay declared for its kind in leadlight.toml), `amount` in whole thousandths.",
        *(f"-- not used: {name}: {reason}" for name, reason in roles.unused.items()),
    ]
    return "\n".join(head) + "\n" + "UNION ALL\n".join(selects)


def _event_select(table: EventTable, labels: list[str]) -> str:
    own = dict(_labels(table))
    arrived = quoted(table.arrived.name) if table.arrived else "NULL"
    lines = [
        f"  {_event_id(table.table)} AS event_id,",
        f"  {quoted(table.lead.name)}::VARCHAR AS lead_id,",
        f"  {_kind(table)} AS kind,",
        f"  {_at(table.at)} AS at,",
        f"  {arrived}::TIMESTAMP AS arrived_at,",
        f"  {_amount(table.amount)} AS amount,",
        *(f"  {quoted(own[label].name) if label in own else 'NULL'}::VARCHAR AS {label}," for label in labels),
    ]
    lines[-1] = lines[-1].removesuffix(",")
    return "\n".join(["SELECT", *lines, f"FROM {table.table.scan}", f"WHERE {quoted(table.at.name)} IS NOT NULL", ""])


def _event_id(table: TableProfile) -> str:
    unique = table.unique()
    if unique:
        return f"'{_sql(table.name)}:' || {quoted(unique[0].name)}"
    everything = ", ".join(f"{quoted(column.name)}" for column in table.columns)
    row = f"concat_ws('|', {everything})"
    return f"'{_sql(table.name)}:' || md5({row}) || ':' || row_number() OVER (PARTITION BY {everything})"


def _kind(table: EventTable) -> str:
    if table.kind is None:
        return f"'{next(iter(table.kinds.values()))}'"
    cases = " ".join(f"WHEN '{_sql(value)}' THEN '{kind}'" for value, kind in table.kinds.items())
    return f"CASE {quoted(table.kind.name)}::VARCHAR {cases} END"


def _at(column: ColumnProfile) -> str:
    name = quoted(column.name)
    if column.whole_days:
        return f"{name}::TIMESTAMP{_LAST_MICROSECOND} /* a day without time: its end, so nothing counts too early */"
    return name


def _amount(column: ColumnProfile | None) -> str:
    return "NULL::BIGINT" if column is None else f"round({quoted(column.name)} * 1000)::BIGINT"


def _won_select(roles: Roles, labels: list[str]) -> str:
    key = quoted(roles.key.name)
    if roles.won_at:
        at, where = _at(roles.won_at), f"{quoted(roles.won_at.name)} IS NOT NULL"
    elif roles.flag:
        at = f"{_created(roles)} + INTERVAL 1 SECOND /* CHECK: undated, so taken to be immediate */"
        where = f"{quoted(roles.flag.name)}::VARCHAR = '{_sql(roles.truth)}'"
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


def _labels(table: EventTable) -> list[tuple[str, ColumnProfile]]:
    taken: set[str] = set()
    return [(name_of(column.name, taken, "label"), column) for column in table.labels]


def _list(values: list[str]) -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)[1:-1]


def _sql(value: str) -> str:
    return value.replace("'", "''")
