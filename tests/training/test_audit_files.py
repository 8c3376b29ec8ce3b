"""Which column of a raw file is taken for its key: overlap alone is no proof where leads are numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.audit.asked import Asked
from training.audit.files import Files, told_by_files

NUMBER = 400


def told(folder: Path, header: str, lines: list[str], *called: str) -> Files:
    """What the files tell of leads that are numbered from 1."""
    (folder / "list.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    leads = [str(number) for number in range(1, NUMBER + 1)]
    moments = np.arange(NUMBER) * 1_000_000
    asked = Asked(np.array(leads, dtype=object), np.arange(NUMBER), moments, moments % 3 == 0, moments, moments + 1)
    return told_by_files(folder, leads, asked, offset=0, called=called)


def test_small_numbers_are_no_key_by_chance(tmp_path: Path) -> None:
    """Where leads are numbers of rows, repeated numbers of people are leads by chance: nothing is judged, and said."""
    found = told(tmp_path, "subject_id,result", [f"{n * 7 % 300 + 1},{'np'[n % 5 == 0]}" for n in range(NUMBER)])

    assert found.columns == ()
    assert found.notes[0].startswith("list.csv: no key found: raw columns of this file were not judged (the numbers in")


@pytest.mark.parametrize("called", [(), ("person",)])
def test_a_key_of_numbers_names_every_lead_once_or_is_called_so(tmp_path: Path, called: tuple[str, ...]) -> None:
    """Numbers that name nearly every lead once are a key; others are if the site's SQL says so."""
    rows = NUMBER if not called else 250
    found = told(tmp_path, "person,result", [f"{n + 1},{'np'[n % 5 == 0]}" for n in range(rows)], *called)

    assert [column.name for column in found.columns] == ["result"]
    assert found.notes == ()
