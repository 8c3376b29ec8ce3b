"""A file of scores, in the format its name asks for; it appears under its name only when it is complete."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TextIO

import pyarrow as pa
from pydantic_core import to_json

from features.table_file import FORMATS, TableFile, open_table_file, unfinished
from leadlight.settings import UsageError
from serving.schemas import Score

_LINES = ".jsonl"
_MOMENT = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema(
    [
        ("lead_id", pa.string()),
        ("target", pa.string()),
        ("probability", pa.float64()),
        ("interval_low", pa.float64()),
        ("interval_high", pa.float64()),
        ("score", pa.int64()),
        ("grade", pa.string()),
        ("base", pa.float64()),
        ("base_probability", pa.float64()),
        ("raw", pa.float64()),
        ("reasons", pa.string()),
        ("as_of", _MOMENT),
        ("features_as_of", _MOMENT),
        ("scored_at", _MOMENT),
        ("model_version", pa.string()),
        ("rung", pa.string()),
        ("degraded", pa.bool_()),
        ("flagged", pa.bool_()),
        ("explored", pa.bool_()),
        ("answer_id", pa.string()),
    ]
)
"""The columns of a Parquet or CSV file; ``reasons`` is JSON, as HTTP answers it."""


class Sheet(Protocol):
    """A file that takes scores in parts."""

    def write(self, scores: Sequence[Score]) -> None: ...


@contextmanager
def open_sheet(path: Path) -> Iterator[Sheet]:
    """A sheet at ``path``; a ``UsageError`` for a suffix that is none of .parquet, .csv and .jsonl."""
    if path.suffix == _LINES:
        with unfinished(path) as part, part.open("w", encoding="utf-8") as lines:
            yield _Lines(lines)
    elif path.suffix in FORMATS:
        with open_table_file(path, SCHEMA) as file:
            yield _Table(file)
    else:
        raise UsageError([f"--out {path}: a file of scores ends in {', '.join((*FORMATS, _LINES))}"])


def table_of(scores: Sequence[Score]) -> pa.Table:
    """``scores`` in the columns of a Parquet or CSV file."""
    return pa.Table.from_pylist([_flat(score) for score in scores], SCHEMA)


class _Table:
    def __init__(self, file: TableFile) -> None:
        self._file = file

    def write(self, scores: Sequence[Score]) -> None:
        self._file.write(table_of(scores))


class _Lines:
    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, scores: Sequence[Score]) -> None:
        self._file.writelines(f"{to_json(score).decode()}\n" for score in scores)


def _flat(score: Score) -> dict[str, Any]:
    interval = score.interval
    own = {name: getattr(score, name) for name in SCHEMA.names if hasattr(score, name)}
    ends = {} if interval is None else {"interval_low": interval.low, "interval_high": interval.high}
    return {**own, **ends, "reasons": to_json(score.reasons).decode()}
