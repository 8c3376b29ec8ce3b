"""Named levels over the columns of finished rows."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import ibis

from features.catalogue import Catalogue, Condition, Level

_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}


def with_levels(rows: ibis.Table, catalogue: Catalogue) -> ibis.Table:
    """``rows`` with the level columns: the first level all of whose conditions hold; a missing value meets none."""
    levels = {entry.name: _level(rows, entry) for entry in catalogue.feature if isinstance(entry, Level)}
    return rows.mutate(**levels)


def _level(rows: ibis.Table, level: Level) -> ibis.Value:
    branches = [(ibis.and_(*(_holds(rows, each) for each in rule.when)), rule.name) for rule in level.levels]
    return ibis.cases(*branches, else_=None)


def _holds(rows: ibis.Table, condition: Condition) -> ibis.Value:
    return _OPERATORS[condition.op](rows[condition.column], condition.value)
