"""A table file holds what was written, runs nothing in a spreadsheet, and is there only when it is complete."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.table_file import open_table_file, unfinished, without_formulas
from leadlight.settings import UsageError

DANGEROUS = ["=1+1", "+49 30", "-2+3", "@SUM(A1)", "\tx", "\rx", "\nx"]
HARMLESS = ["a=b", "数学", "", "'=1", " =1", None, "1-2", "x\n=1"]
SCHEMA = pa.schema([("text", pa.string()), ("number", pa.float64()), ("count", pa.int64())])


def table(texts: list[str | None]) -> pa.Table:
    """A table of these texts beside negative numbers."""
    count = len(texts)
    return pa.table([pa.array(texts, pa.string()), [-1.5] * count, [-7] * count], schema=SCHEMA)


def written(path: Path, texts: list[str | None]) -> Path:
    """The file of that table."""
    with open_table_file(path, SCHEMA) as file:
        for start in range(0, len(texts), 2):
            file.write(table(texts[start : start + 2]))
    return path


def break_off(path: Path) -> None:
    """Begin to write a file, and fail."""
    with unfinished(path) as file:
        file.write_text("half", encoding="utf-8")
        raise EOFError


def test_a_formula_gets_an_apostrophe_and_nothing_else_does() -> None:
    """Only texts that begin with a sign of a formula change; numbers below zero do not."""
    escaped = without_formulas(table([*DANGEROUS, *HARMLESS]))

    assert escaped["text"].to_pylist() == [*(f"'{text}" for text in DANGEROUS), *HARMLESS]
    assert set(escaped["number"].to_pylist()) == {-1.5}
    assert escaped.schema == SCHEMA


def test_csv_is_utf8_with_a_header_and_runs_nothing(tmp_path: Path) -> None:
    """Every cell is read back as it was written, but formulas are texts; missing is empty, and an empty text is not."""
    texts = [*DANGEROUS, *HARMLESS]

    content = written(tmp_path / "out.csv", texts).read_bytes().decode("utf-8")

    rows = list(csv.reader(content.splitlines(keepends=True)))
    assert rows[0] == ["text", "number", "count"]
    assert [row[0] for row in rows[1:]] == [*(f"'{text}" for text in DANGEROUS), *(text or "" for text in HARMLESS)]
    assert all(row[1:] == ["-1.5", "-7"] for row in rows[1:])
    assert '"",-1.5,-7\n' in content  # the empty text
    assert "\n,-1.5,-7\n" in content  # the missing one


def test_parquet_holds_every_text_as_it_is(tmp_path: Path) -> None:
    """No cell of a typed file can be taken for a formula, so none is changed."""
    found = pq.read_table(written(tmp_path / "out.parquet", [*DANGEROUS, *HARMLESS]))

    assert found.equals(table([*DANGEROUS, *HARMLESS]))


def test_a_file_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    """A block that fails leaves the old file as it was, and nothing beside it."""
    path = tmp_path / "new folder" / "out.csv"
    written(path, ["old"])
    before = path.read_bytes()

    with pytest.raises(EOFError):
        break_off(path)

    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    """The name decides the format."""
    with pytest.raises(UsageError, match=r"\.parquet or \.csv"), open_table_file(tmp_path / "out.xlsx", SCHEMA):
        pass

    assert list(tmp_path.iterdir()) == []
