"""A table as a file: Parquet, or CSV that no spreadsheet takes for formulas. It appears when it is complete."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv
import pyarrow.parquet as pq

from leadlight.settings import UsageError

FORMATS = (".parquet", ".csv")
_FORMULA = r"\A([=+\-@\t\r\n])"
"""What makes a spreadsheet run a cell that it should show (OWASP, CSV injection)."""


class TableFile:
    """A file that takes rows in parts."""

    def __init__(self, writer: pq.ParquetWriter | pv.CSVWriter) -> None:
        self._writer = writer

    def write(self, table: pa.Table) -> None:
        """Add the rows of ``table``, which has the file's schema."""
        self._writer.write_table(table if isinstance(self._writer, pq.ParquetWriter) else without_formulas(table))


@contextmanager
def open_table_file(path: Path, schema: pa.Schema) -> Iterator[TableFile]:
    """A table file at ``path``; a ``UsageError`` for a suffix that is neither .parquet nor .csv."""
    if path.suffix not in FORMATS:
        raise UsageError([f"--out {path}: a file of features ends in {' or '.join(FORMATS)}"])
    opened = pq.ParquetWriter if path.suffix == ".parquet" else pv.CSVWriter
    with unfinished(path) as file, opened(file, schema) as writer:
        yield TableFile(writer)


@contextmanager
def unfinished(path: Path) -> Iterator[Path]:
    """Where to write what shall be at ``path``: it gets that name when the block ends well, else it goes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield file
        file.replace(path)
    finally:
        file.unlink(missing_ok=True)


def escaped(text: str) -> str:
    """``text`` with an apostrophe before it if a spreadsheet would run it."""
    return f"'{text}" if re.match(_FORMULA, text) else text


def without_formulas(table: pa.Table) -> pa.Table:
    """``table`` with an apostrophe before every text that a spreadsheet would run; numbers stay as they are."""
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            escaped = pc.replace_substring_regex(table[field.name], pattern=_FORMULA, replacement=r"'\1")
            table = table.set_column(place, field, escaped)
    return table
