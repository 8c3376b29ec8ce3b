"""A file as rows: each line for itself, whatever stands in it, and what is no file of facts is one fault."""

from __future__ import annotations

import json
from pathlib import Path
from stat import S_IMODE

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.arrivals import Wrong
from features.ingest import FileRow, Refusal, forget_refusals, read_rows, write_refusals
from leadlight.settings import UsageError, load_site

SITE = load_site(Path(__file__).parents[3] / "examples" / "demo")
HEADER = "lead_id,channel,city"


def rows(path: Path, content: str | bytes) -> list[FileRow | Refusal]:
    """The rows of a file with this content."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_rows(path, SITE))


def told(found: list[FileRow | Refusal]) -> list[tuple[int, str]]:
    """The number and the place of each refused row."""
    return [(each.number, each.wrong.field) for each in found if isinstance(each, Refusal)]


def cities(found: list[FileRow | Refusal]) -> list[object]:
    """The city of each row that could be read."""
    return [each.values.get("city") for each in found if isinstance(each, FileRow)]


def test_a_row_with_a_cell_too_many_is_refused_and_reading_goes_on(tmp_path: Path) -> None:
    """It is told with its line, what it holds and how many cells there may be."""
    found = rows(tmp_path / "a.csv", f"{HEADER}\nL1,sem,a\n\nL2,sem,b,c\nL3,sem,d\n")

    assert cities(found) == ["a", "d"]
    assert told(found) == [(2, "line 4")]
    assert isinstance(found[1], Refusal)
    assert found[1].wrong.came == "L2,sem,b,c"
    assert "3 cells" in found[1].wrong.allowed


def test_a_quote_that_is_not_closed_costs_the_lines_it_swallows(tmp_path: Path) -> None:
    """They are named; after the next quote reading goes on."""
    found = rows(tmp_path / "a.csv", f'{HEADER}\nL1,sem,"a\nL2,sem,b\nL3,sem,"c"\nL4,sem,d\nL5,sem,"e\n')

    assert cities(found) == ["d"]
    assert told(found) == [(1, "lines 2 to 4"), (3, "line 6")]


def test_a_cell_under_no_header_is_refused_unless_it_is_blank(tmp_path: Path) -> None:
    """Spreadsheets end lines in commas; a value there would be lost without a word."""
    found = rows(tmp_path / "a.csv", "lead_id,city,,\nL1,a,,\nL2,b,,x\n")

    assert cities(found) == ["a"]
    assert told(found) == [(2, "line 3")]


@pytest.mark.parametrize(
    "line", ['{"lead_id": "L2", "city": ', "[1]", "7", '{"city": "b", "city": "c"}', "[" * 100_000]
)
def test_a_line_that_is_no_json_object_is_refused_and_reading_goes_on(tmp_path: Path, line: str) -> None:
    """Cut lines, lists, and objects that say one thing twice."""
    found = rows(
        tmp_path / "a.jsonl", f'{{"lead_id": "L1", "city": "a"}}\n{line}\n\n{{"lead_id": "L3", "city": "d"}}\n'
    )

    assert cities(found) == ["a", "d"]
    assert told(found) == [(2, "line 2")]


@pytest.mark.parametrize("odd", ["\u2028", "\x85", "\x0b", "\x0c", "\x1c"])
def test_only_line_ends_end_a_line(tmp_path: Path, odd: str) -> None:
    """Separators of other kinds are part of a cell, quoted or not."""
    assert cities(rows(tmp_path / "a.csv", f"{HEADER}\nL1,sem,上{odd}海\r\n")) == [f"上{odd}海"]
    assert cities(rows(tmp_path / "a.csv", f'{HEADER}\nL1,sem,"上{odd}\n海"\n')) == [f"上{odd}\n海"]


@pytest.mark.parametrize("name", ["a.CSV", "a.JSONL", "a.Parquet"])
def test_a_suffix_may_be_in_capitals(tmp_path: Path, name: str) -> None:
    """As Windows writes it."""
    path = tmp_path / name
    if name.endswith("CSV"):
        path.write_text(f"{HEADER}\nL1,sem,a\n")
    elif name.endswith("JSONL"):
        path.write_text(json.dumps({"lead_id": "L1", "city": "a"}))
    else:
        pq.write_table(pa.table({"lead_id": ["L1"], "city": ["a"]}), path)

    assert cities(list(read_rows(path, SITE))) == ["a"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "lead_id,lead_id,channel\nD1,D2,sem\n", "lead_id is meant by lead_id and lead_id"),
        ("a.csv", "lead_id,手机,手机号\nD1,1,2\n", "phone is meant by 手机 and 手机号"),
        ("a.csv", "", "it is empty"),
        ("a.csv", "\n \n", "it is empty"),
        ("a.jsonl", "\n", "it is empty"),
        ("a.parquet", "", "cannot be read as parquet"),
        ("a.csv", "lead_id,city\nL1,Zürich Genève Besançon\n".encode("latin-1"), "neither UTF-8 nor GB18030"),
        ("a.csv", "lead_id,city\nL1,a\n".encode("utf-16"), "neither UTF-8 nor GB18030"),
    ],
)
def test_what_is_no_file_of_facts_is_one_fault(tmp_path: Path, name: str, content: str | bytes, words: str) -> None:
    """Not one for each row, and before any row is taken."""
    with pytest.raises(UsageError, match=words) as refused:
        rows(tmp_path / name, content)

    assert len(refused.value.faults) == 1


def test_a_file_of_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    """A night without news is no fault."""
    assert rows(tmp_path / "a.csv", f"{HEADER}\n") == []


def test_what_is_told_is_for_its_owner_and_goes_when_all_is_well(tmp_path: Path) -> None:
    """A file of the same name that somebody else wrote stays."""
    path = tmp_path / "a.csv.errors.csv"
    write_refusals(path, [Refusal(9, Wrong("at", "x", "y"), "=L2"), Refusal(3, Wrong("at", "\ud800", "y"), "L1")])

    assert S_IMODE(path.stat().st_mode) == 0o600
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    assert lines == ["row,field,came,allowed,lead_id", "3,at,\\ud800,y,L1", "9,at,x,y,'=L2"]
    forget_refusals(path)
    assert not path.exists()
    path.write_text("mine\n")
    forget_refusals(path)
    assert path.exists()
