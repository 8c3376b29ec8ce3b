"""A card as a file to edit: a points table, with what each rule looks at in words."""

from __future__ import annotations

import json
from collections.abc import Sequence

from features.catalogue import Column
from leadlight.settings.points import PointsRule, PointsTable

HEAD = """# {origin}
#
# A lead has the points of every rule whose condition holds (of all of them, where `when` is a list). Of rules with the
# same `scale = "NAME"` only the one with the most points counts. Conditions: >= <= > < == != with a number or a text in
# single quotes, `is missing`, `is known`. What a point is worth in probability is learned from the data.
"""


def as_toml(table: PointsTable, columns: Sequence[Column], origin: str) -> str:
    """The file that ``read_card`` reads back as this table."""
    words = {column.name: column.wording("en") for column in columns}
    return HEAD.format(origin=origin) + "".join(_rule(rule, words) for rule in table.rule)


def _rule(rule: PointsRule, words: dict[str, str]) -> str:
    said = "; ".join(dict.fromkeys(words[condition.column] for condition in rule.when))
    conditions = [json.dumps(str(condition), ensure_ascii=False) for condition in rule.when]
    when = conditions[0] if len(conditions) == 1 else f"[{', '.join(conditions)}]"
    scale = f'scale = "{rule.scale}"\n' if rule.scale else ""
    points = int(rule.points) if rule.points == int(rule.points) else rule.points
    return f"\n[[rule]] # {' '.join(said.split())}\nwhen = {when}\npoints = {points}\n{scale}"
