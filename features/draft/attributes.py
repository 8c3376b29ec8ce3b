"""The columns of the leads that can be attributes, why others cannot, and which one says that a lead was won."""

from __future__ import annotations

from pathlib import Path

from features.draft.columns import OUTCOME, WORDY, is_contact, name_of, names_people, query, values_of
from features.draft.profile import ColumnProfile, TableProfile, quoted
from leadlight.schema import ARRIVED_AT, CONTACTS, LEAD_COLUMNS

_TRUE = {"1", "true", "yes", "y", "t", "won", "converted", "是"}
_FALSE = {"0", "false", "no", "n", "f", "lost", "否"}
_FEWEST = 20
_HARDLY = 0.02
_OFTEN = 0.05


def flag_of(leads: TableProfile, key: ColumnProfile | None, data: Path) -> tuple[ColumnProfile | None, str]:
    """The column of the leads that says whether each was won, and its word for yes."""
    two_valued = [c for c in leads.columns if c.distinct == len(("yes", "no")) and c is not key and not c.is_moment]
    for column in sorted(two_valued, key=lambda c: OUTCOME.search(c.name) is None):
        values = {value.lower(): value for value in values_of(leads, column, data)}
        if OUTCOME.search(column.name) and len(values.keys() & _TRUE) == 1 and values.keys() & _FALSE:
            return column, values[next(iter(values.keys() & _TRUE))]
    return None, ""


def is_true(flag: ColumnProfile | None, truth: str) -> str:
    """The condition that a lead was won, or nothing where no column says so."""
    value = truth.replace("'", "''")
    return f"{quoted(flag.name)}::VARCHAR = '{value}'" if flag else ""


def settling(leads: TableProfile, won: str, data: Path) -> dict[str, str]:
    """The columns that are filled in for hardly any but the leads that were won, or for none of them."""
    if not won:
        return {}
    counts = ", ".join(
        f"count({name}) FILTER ({won}), count({name}) FILTER (NOT coalesce({won}, false))"
        for name in (quoted(column.name) for column in leads.columns)
    )
    row = query(f"SELECT count(*) FILTER ({won}), count(*), {counts} FROM {leads.scan}", data)[0]
    wins, every, *filled = (int(each) for each in row)
    found: dict[str, str] = {}
    for place, column in enumerate(leads.columns):
        of_won, of_others = filled[2 * place], filled[2 * place + 1]
        if of_won >= _FEWEST and of_others <= _HARDLY * of_won:
            found[column.name] = "filled in only for leads that were won"
        elif wins >= _FEWEST and of_won == 0 and of_others >= _OFTEN * (every - wins):
            found[column.name] = "filled in only for leads that were not won"
    return found


def attributes_of(
    leads: TableProfile, spoken: set[str], settling: dict[str, str]
) -> tuple[dict[str, ColumnProfile], dict[str, str]]:
    """The columns that can be attributes by their names, and why each other one cannot."""
    kept: dict[str, ColumnProfile] = {}
    left_out: dict[str, str] = {}
    taken = {*LEAD_COLUMNS, *CONTACTS, "at", ARRIVED_AT}
    for column in leads.columns:
        if column.name in spoken:
            continue
        if column.distinct <= 1:
            left_out[column.name] = "says the same of every lead"
        elif column.name in settling:
            left_out[column.name] = settling[column.name]
        elif is_contact(column) and names_people(column):
            left_out[column.name] = "a contact: never a feature"
        elif column.is_moment:
            left_out[column.name] = "a moment: bring it in as an event of its own, dated by itself"
        elif not column.is_number and not column.number and column.distinct > column.filled * WORDY:
            left_out[column.name] = "nearly every lead has its own value"
        elif column.is_number and column.distinct == column.filled == leads.rows:
            left_out[column.name] = "a number that names the lead"
        else:
            kept[name_of(column.name, taken, "attribute")] = column
    return kept, left_out
