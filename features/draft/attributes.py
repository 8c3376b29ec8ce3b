"""The columns of the leads that can be attributes, and why others cannot."""

from __future__ import annotations

import re
from pathlib import Path

from features.draft.columns import WORDY, is_contact, name_of, names_people, names_things, query, spaced
from features.draft.profile import ColumnProfile, TableProfile, quoted
from features.draft.words import in_english
from leadlight.schema import ARRIVED_AT, CONTACTS, LEAD_COLUMNS

_AFTER = re.compile(
    r"(^| )(status|stage|score|last|latest|notable|reason|clos(ed?|ing)|final|follow up|lost|won|remark)( |$)|重复"
)
_PEOPLE_ARE_CALLED = re.compile(r"\b(last|first|middle) ?name\b")
_UNIQUE = 0.9
_DENSE = 2
_FEWEST = 50


def attributes_of(
    leads: TableProfile, spoken: set[str], settled: dict[str, str], data: Path
) -> tuple[dict[str, ColumnProfile], dict[str, str], dict[str, str]]:
    """The columns that can be attributes by their names, why each other one cannot, and which to think about.

    The last are by their names among the first too: left out of the draft with a reason, and with how to take them.
    """
    kept: dict[str, ColumnProfile] = {}
    left_out: dict[str, str] = {}
    later: dict[str, str] = {}
    taken = {*LEAD_COLUMNS, *CONTACTS, "at", ARRIVED_AT}
    for column in (c for c in leads.columns if c.name not in spoken):
        why = _no_attribute(column, leads, settled)
        if why:
            left_out[column.name] = why
            continue
        name = name_of(column.name, taken, "attribute")
        kept[name] = column
        if is_later(name, column):
            later[name] = "filled in later, to judge by its name; if it is known from the start, add"
        elif column.is_number and (names_things(column) or _counts_up(leads, column, data)):
            later[name] = "CHECK: a number that names something is no amount; if it is one, add"
    return kept, left_out, later


def _no_attribute(column: ColumnProfile, leads: TableProfile, settled: dict[str, str]) -> str:
    reasons = (
        (column.distinct <= 1, "says the same of every lead"),
        (column.name in settled, settled.get(column.name, "")),
        (is_contact(column) and names_people(column), "a contact: never a feature"),
        (column.is_moment, "a moment: bring it in as an event of its own, dated by itself"),
        (
            not column.is_number and not column.number and column.distinct > column.filled * WORDY,
            "nearly every lead has its own value",
        ),
        (
            column.is_number and column.distinct == column.filled == leads.rows,
            "a number that names the lead",
        ),
    )
    return next((why for holds, why in reasons if holds), "")


def is_later(name: str, column: ColumnProfile) -> bool:
    """Whether a column is called like what somebody fills in afterwards."""
    called = (name, column.name, in_english(column.name))
    return any(_AFTER.search(_PEOPLE_ARE_CALLED.sub("", spaced(text))) for text in called)


def _counts_up(leads: TableProfile, column: ColumnProfile, data: Path) -> bool:
    """Whether nearly every lead has a whole number of its own, one after the other, as numbers of rows are given."""
    if column.filled < _FEWEST or column.distinct < _UNIQUE * column.filled or not column.type.endswith("INT"):
        return False
    name = quoted(column.name)
    span = query(f"SELECT max({name}) - min({name}) + 1 FROM {leads.scan}", data)[0][0]
    return int(span) <= _DENSE * column.distinct
