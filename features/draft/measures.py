"""Which numbers of a file of events are added up: its amount, and further ones as kinds of their own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from features.draft.columns import is_contact, is_id, is_reference, name_of
from features.draft.profile import ColumnProfile
from features.draft.roles import EventTable, Measure, Roles
from features.draft.tables import told_by

MEASURES_AT_MOST = 4


def with_measures(roles: Roles, outcomes: list[str], data: Path) -> Roles:
    """``roles`` in which numbers are measures and no labels; the kinds in ``outcomes`` have none."""
    taken = {kind for table in roles.events for kind in table.kinds.values()}
    return replace(roles, events=tuple(_measured(table, outcomes, taken, data) for table in roles.events))


def _measured(table: EventTable, outcomes: list[str], taken: set[str], data: Path) -> EventTable:
    if table.part:  # the same rows again, dated otherwise
        return table
    numbers = sorted(filter(lambda column: _counts(column, table), table.table.columns), key=lambda c: -c.distinct)
    labels = tuple(column for column in table.labels if column not in numbers)
    amount = table.amount
    if amount is None and numbers:
        amount, *numbers = numbers
    further, more = numbers[:MEASURES_AT_MOST], numbers[MEASURES_AT_MOST:]
    behaviour = {value: kind for value, kind in table.kinds.items() if kind not in outcomes}
    told = told_by(table.table, table.kind, tuple(further), data) if table.kind and further else {}
    names: set[str] = set()
    measures: list[Measure] = []
    for column in further:
        name = name_of(column.name, names, f"c{table.table.columns.index(column) + 1}")
        filled = {value: kind for value, kind in behaviour.items() if value not in told or column.name in told[value]}
        kinds = {value: name_of(f"{kind}_{name}", taken, "measure") for value, kind in filled.items()}
        if kinds:
            measures.append(Measure(name, column, kinds))
    return replace(
        table, labels=labels, amount=amount, measures=tuple(measures), more=tuple(column.name for column in more)
    )


def _counts(column: ColumnProfile, table: EventTable) -> bool:
    """Whether a column is a number that says how much, and plays no other part."""
    parts = (table.lead, table.at, table.arrived, table.kind, table.amount)
    is_number = (column.is_number or bool(column.number)) and not column.is_moment and column.distinct > 1
    names = is_id(column) or is_reference(column) or is_contact(column) or column in table.table.unique()
    return is_number and not names and column not in parts
