"""The four files of a drafted site, with a comment wherever a person should look."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from features.draft.columns import name_of
from features.draft.measure import Measured, measure
from features.draft.profile import ColumnProfile
from features.draft.queries import WON, events_sql, is_numeric, kept, labels_of, leads_sql
from features.draft.roles import EventTable, Roles


def files(name: str, roles: Roles, data: Path) -> dict[str, str]:
    """The text of each file by its path inside the site's folder."""
    leads, events = leads_sql(roles), events_sql(roles)
    return {
        "leadlight.toml": _settings(
            name_of(name, set(), "site"), roles, measure(leads, events, _outcomes(roles), data)
        ),
        "catalogue.toml": "\n".join(_catalogue(roles)),
        "sources/leads.sql": leads,
        "sources/events.sql": events,
    }


def _settings(name: str, roles: Roles, measured: Measured) -> str:
    immediate = not any(table.outcome for table in roles.events) and roles.won_at is None
    outcomes = _outcomes(roles)
    dated = bool(roles.events)
    horizon, offset = ("1h", "0s") if immediate else (f"{measured.horizon}d", "1d" if dated else "0s")
    why = "" if immediate else measured.delays
    kinds = "\n".join(_kinds(roles))
    return f"""# A draft by `leadlight init`: the guesses are marked CHECK; docs/sites.md explains each key.
[site]
name = "{name}"
title = {{ zh = "{name}", en = "{name}" }}
utc_offset = "{roles.offset}"        # CHECK: the fixed offset of the site's days and of times written without one

[clock]
at = "last_fact"             # now is the newest fact of these files; "wall" once the sources are live

{kinds}
[targets.{WON}]
zh = "成交"
en = "buys"
outcome = {_list(outcomes)}  # CHECK: the kinds of event that count as success
horizon = "{horizon}"        # CHECK: within how long after the observation it must happen{why}
outcome_delay = "0s"         # how late an outcome may reach the data

[targets.{WON}.observe]      # CHECK: when leads are looked at, in training; see docs/sites.md
offsets = ["{offset}"]       # this long after creation; or: every = "monday" with until = "60d"

[targets.{WON}.split]
test_share = 0.2             # the latest share of rows judges the model; or: train_until and test_from dates

[targets.{WON}.operate]
flag_share = 0.10            # CHECK: the share of leads that sales can follow at once

[targets.{WON}.gate]         # CHECK: what a model must prove before it goes live, each on a lower confidence bound
precision = {measured.precision:.2f}             # of the flagged leads, how many must buy{measured.rate}
recall = 0.20                # of the buyers, how many must be flagged

[targets.{WON}.grades]       # shares of leads; the rest is D
A = 0.05
B = 0.15
C = 0.30
"""


def _outcomes(roles: Roles) -> list[str]:
    named = [kind for table in roles.events for kind in table.won]
    return list(dict.fromkeys(named)) or [WON]


def _kinds(roles: Roles) -> Iterator[str]:
    for table in roles.events:
        for value, kind in table.kinds.items():
            labels = [label for label, column in labels_of(table) if table.has(value, column)]
            yield f'[kinds.{kind}]\nlabels = {_list(labels)}\nzh = "{_text(value)}"\nen = "{_text(value)}"\n'
    if not any(table.outcome for table in roles.events):
        yield f'[kinds.{WON}]\nzh = "成交"\nen = "converted"\n'


def _catalogue(roles: Roles) -> Iterator[str]:
    yield "# A draft by `leadlight init`. One [[feature]] is one entry; docs/features.md explains the kinds.\n"
    yield _entry("channel", "attribute", 'column = "channel"', "渠道", "channel", theme="channel_profile")
    taken = {"channel", "lead_age"}
    for name, column in kept(roles):
        kind = "number" if is_numeric(column) else "text"
        extra = f'column = "{name}"\ntype = "{kind}"'
        yield _entry(
            name_of(name, taken, "attribute"), "attribute", extra, column.name, column.name, theme="channel_profile"
        )
    if roles.events:
        yield _entry("lead_age", "age", 'unit = "days"', "线索天数", "days since creation", theme="life_cycle")
    for table in roles.events:
        for value, kind in table.kinds.items():
            if kind not in _outcomes(roles):
                yield from _behaviour(kind, value, table, taken)
    if roles.events:
        yield from _context(roles)


def _behaviour(kind: str, value: str, table: EventTable, taken: set[str]) -> Iterator[str]:
    windows = 'windows = ["1d", "7d", "30d", "all"]'
    of = f'events = ["{kind}"]\ngroup = "{kind}"'
    name = name_of(kind, taken, "event")
    yield _entry(name, "count", f"{of}\n{windows}", f"近{{window}}{value}次数", f"{value} in {{window}}")
    yield _entry(
        f"{name}_days",
        "active_days",
        f"{of}\n{windows}",
        f"近{{window}}{value}天数",
        f"days with {value} in {{window}}",
    )
    yield _entry(
        f"{name}_last", "last_age", f'{of}\nunit = "hours"', f"距上次{value}小时", f"hours since the last {value}"
    )
    yield _entry(
        f"{name}_first", "first_age", f'{of}\nunit = "hours"', f"距首次{value}小时", f"hours since the first {value}"
    )
    if table.amount:
        yield _entry(
            f"{name}_sum",
            "sum",
            f"{of}\n{windows}",
            f"近{{window}}{value}合计",
            f"{table.amount.name} of {value} in {{window}}",
        )
    for label, column in labels_of(table):
        if not table.has(value, column):
            continue
        text = f'{of}\nof = "{label}"'
        yield _entry(
            f"{name}_{label}",
            "distinct",
            f'{text}\nwindows = ["7d", "all"]',
            f"近{{window}}{value}不同{column.name}数",
            f"different {column.name} of {value} in {{window}}",
        )
        yield _entry(
            f"{name}_{label}_top", "top", text, f"{value}最常{column.name}", f"most frequent {column.name} of {value}"
        )
        yield _entry(
            f"{name}_{label}_last",
            "last_value",
            text,
            f"最近{value}的{column.name}",
            f"{column.name} of the last {value}",
        )
        yield from _each_value(label, column, table, value, taken)


def _each_value(label: str, column: ColumnProfile, table: EventTable, value: str, taken: set[str]) -> Iterator[str]:
    """A count of each value of a label that has a few: how often each came says more than the last one."""
    kind = table.kinds[value]
    for word in table.few.get(column.name, []):
        where = f"where = {{ {label} = [{json.dumps(word, ensure_ascii=False)}] }}"
        yield _entry(
            name_of(f"{kind} {label} {word}", taken, "value"),
            "count",
            f'events = ["{kind}"]\ngroup = "{kind}"\n{where}',
            f"{value}中{column.name}为“{word}”的次数",
            f"{value} with {column.name} {word}",
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


def _list(values: list[str]) -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)[1:-1]
