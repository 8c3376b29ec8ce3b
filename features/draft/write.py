"""The four files of a drafted site, with a comment wherever a person should look."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from features.draft.catalogue import catalogue
from features.draft.columns import name_of
from features.draft.measure import Measured, measure
from features.draft.measures import with_measures
from features.draft.queries import WON, events_sql, labels_of, leads_sql
from features.draft.roles import EventTable, Roles

AGES = (1, 3, 7, 14, 30)
FEWER_AGES = (1, 7, 30)
_ROWS_AT_MOST = 100_000
_DELAY = '# delay = "2h"               # CHECK: when these arrive is not recorded; without a delay they count at once'


def files(name: str, guessed: Roles, data: Path) -> dict[str, str]:
    """The text of each file by its path inside the site's folder."""
    outcomes = _outcomes(guessed)
    roles = with_measures(guessed, outcomes, data)
    leads, events = leads_sql(roles), events_sql(roles)
    labels = {kind: _labels(table, value) for table in roles.events for value, kind in table.kinds.items()}
    measured = measure((leads, events), outcomes, labels, data, offset=roles.offset)
    ages = _ages(roles, measured)
    return {
        "leadlight.toml": _settings(name_of(name, set(), "site"), roles, measured, ages),
        "catalogue.toml": catalogue(roles, measured, outcomes, ages),
        "sources/leads.sql": leads,
        "sources/events.sql": events,
    }


def _ages(roles: Roles, measured: Measured) -> list[str]:
    """The ages at which leads are looked at, up to the horizon, fewer of many leads; at once where nothing is dated."""
    if _immediate(roles) or not roles.events:
        return ["0s"]
    ages = AGES if len(AGES) * measured.leads <= _ROWS_AT_MOST else FEWER_AGES
    return [f"{days}d" for days in ages if days <= measured.horizon]


def _immediate(roles: Roles) -> bool:
    """Whether nothing says when a lead was won."""
    return not any(table.outcome for table in roles.events) and roles.won_at is None


def _settings(name: str, roles: Roles, measured: Measured, ages: list[str]) -> str:
    horizon, why = ("1h", "") if _immediate(roles) else (f"{measured.horizon}d", measured.delays)
    late = "99 in 100 arrived within this" if measured.late else "when they arrive is not recorded"
    several = ": at several ages, as open leads have; for one question, write one" if len(ages) > 1 else ""
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
outcome = {_list(_outcomes(roles))}  # CHECK: the kinds of event that count as success
horizon = "{horizon}"        # CHECK: within how long after the observation it must happen{why}
outcome_delay = "{measured.late or "0s"}"         # CHECK: how late an outcome may reach the data; {late}

[targets.{WON}.observe]      # CHECK: when leads are looked at, in training; see docs/sites.md
offsets = {_list(ages)}  # so long after creation{several}; or: every = "monday" with until = "60d"

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
    others = any(table.arrived for table in roles.events)
    for table in roles.events:
        late = f"{_DELAY}\n" if others and table.arrived is None else ""
        for value, kind in table.kinds.items():
            labels = _list(_labels(table, value))
            yield f'[kinds.{kind}]\n{late}labels = {labels}\nzh = "{_text(value)}"\nen = "{_text(value)}"\n'
            for each in table.measures:
                if value in each.kinds:
                    zh, en = _text(f"{value}的{each.column.name}"), _text(f"{each.column.name} of {value}")
                    yield f'[kinds.{each.kinds[value]}]\n{late}labels = []\nzh = "{zh}"\nen = "{en}"\n'
    if not any(table.outcome for table in roles.events):
        yield f'[kinds.{WON}]\nzh = "成交"\nen = "converted"\n'


def _labels(table: EventTable, value: str) -> list[str]:
    return [label for label, column in labels_of(table) if table.has(value, column)]


def _list(values: list[str]) -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)[1:-1]
