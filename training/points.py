"""What a site's own knowledge gives a fit: a points table, and which way each number moves the score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from features.catalogue import Column
from leadlight.settings import Site, SiteError, Target
from leadlight.settings.points import ORDER, PRESENCE, Condition, PointsTable, read_points

WAYS = {"up": 1, "down": -1}


def directions_of(target: Target, columns: Sequence[Column]) -> dict[str, int]:
    """1 or -1 for each column with a direction in the catalogue, if the target asks for a monotone model."""
    asked = columns if target.fit.monotone else ()
    return {each.name: WAYS[each.entry.direction] for each in asked if each.entry.direction is not None}


def load_points(site: Site, target: Target, columns: Sequence[Column]) -> PointsTable | None:
    """The points table that the target names, if the site has that file."""
    path = site.folder / target.fit.points
    return read_card(path, columns) if path.is_file() else None


def read_card(path: Path, columns: Sequence[Column]) -> PointsTable:
    """The table in a file; whatever it asks of a column that this column cannot answer is a fault, all at once."""
    table = read_points(path)
    faults = list(dict.fromkeys(_faults(table, path.name, {column.name: column for column in columns})))
    if faults:
        raise SiteError(faults)
    return table


def _faults(table: PointsTable, file: str, columns: Mapping[str, Column]) -> Iterator[str]:
    for place, rule in enumerate(table.rule):
        for condition in rule.when:
            where = f"{file}: rule.{place}.when: '{condition}'"
            column = columns.get(condition.column)
            if column is None:
                near = [name for name in columns if name.startswith(condition.column.split("_")[0])]
                hint = f", such as {', '.join(near[:3])}" if near else ""
                yield f"{where}: the target's model has no column {condition.column!r}: name one of the catalogue{hint}"
            else:
                yield from _mismatch(where, condition, text=column.type == "str")


def _mismatch(where: str, condition: Condition, *, text: bool) -> Iterator[str]:
    if condition.op in PRESENCE:
        return
    if text and not isinstance(condition.value, str):
        yield f"{where}: the column holds text: compare it with text in quotes, such as == 'Beijing'"
    elif not text and isinstance(condition.value, str):
        yield f"{where}: the column holds numbers: compare it with a number without quotes"
    elif text and condition.op in ORDER:
        yield f"{where}: text has no order: use == or !="
