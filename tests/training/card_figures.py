"""The figures of a model card: its tables by heading."""

from __future__ import annotations

import re

BETWEEN = re.compile(r"(?<!\\)\|")


def tables_of(card: str) -> dict[str, dict[str, list[str]]]:
    """Each table by the first cell of its head: its rows, by their first cell."""
    tables: dict[str, dict[str, list[str]]] = {}
    for block in re.findall(r"(?:^\|.*\n)+", card, flags=re.MULTILINE):
        head, _, *rows = ([cell.strip() for cell in BETWEEN.split(line)[1:-1]] for line in block.splitlines())
        tables[head[0]] = {first: rest for first, *rest in rows}
    return tables


def shown(value: float | None) -> str:
    """A figure as a card writes it."""
    if value is None:
        return ""
    return f"{value:.0f}" if value == int(value) else f"{value:.4f}"
