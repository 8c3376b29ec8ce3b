"""The file that tells which rows were refused and why. It has what came, so only its owner may read it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from features.ingest.files import Refusal
from features.table_file import escaped, unfinished
from leadlight.schema import LEAD_ID

_HEADER = ("row", "field", "came", "allowed", LEAD_ID)
_BEGINNING = "\ufeffrow,field,came,allowed".encode()


def write_refusals(path: Path, refused: Sequence[Refusal]) -> None:
    """A CSV with a row for each fault, by row: its number, the field, what came, what is allowed, and whose it is."""
    with unfinished(path) as told:
        told.touch(mode=0o600)
        with told.open(  # spreadsheets know UTF-8 by its mark; half of a surrogate pair may be what is wrong
            "w", newline="", encoding="utf-8-sig", errors="backslashreplace"
        ) as file:
            writer = csv.writer(file)
            writer.writerow(_HEADER)
            for each in sorted(refused, key=lambda refusal: refusal.number):
                cells = (each.wrong.field, str(each.wrong.came), each.wrong.allowed, each.lead_id)
                writer.writerow([each.number, *map(escaped, cells)])


def forget_refusals(path: Path) -> None:
    """Take away what was told of an earlier file of this name, if that is what is at ``path``."""
    if path.is_file() and path.read_bytes().startswith(_BEGINNING):
        path.unlink()
