"""A file of scores, in the format its name asks for; it appears under its name only when it is complete."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TextIO

import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.parquet as pq
from pydantic_core import to_json

from leadlight.settings import UsageError
from serving.schemas import Score

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
        ("degraded", pa.bool_()),
    ]
)
"""The columns of a Parquet or CSV file; ``reasons`` is JSON, as HTTP answers it."""


class Sheet(Protocol):
    """A file that takes scores in parts."""

    def write(self, scores: Sequence[Score]) -> None: ...


@contextmanager
def open_sheet(path: Path) -> Iterator[Sheet]:
    """A sheet at ``path``; a ``UsageError`` for a suffix that is none of .parquet, .csv and .jsonl."""
    if path.suffix not in _FORMATS:
        raise UsageError([f"--out {path}: a file of scores ends in {', '.join(_FORMATS)}"])
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with _FORMATS[path.suffix](unfinished) as sheet:
            yield sheet
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


class _Table:
    def __init__(self, writer: pq.ParquetWriter | pv.CSVWriter) -> None:
        self._writer = writer

    def write(self, scores: Sequence[Score]) -> None:
        self._writer.write_table(pa.Table.from_pylist([_flat(score) for score in scores], SCHEMA))


class _Lines:
    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, scores: Sequence[Score]) -> None:
        self._file.writelines(f"{to_json(score).decode()}\n" for score in scores)


@contextmanager
def _parquet(path: Path) -> Iterator[Sheet]:
    with pq.ParquetWriter(path, SCHEMA) as writer:
        yield _Table(writer)


@contextmanager
def _csv(path: Path) -> Iterator[Sheet]:
    with pv.CSVWriter(path, SCHEMA) as writer:
        yield _Table(writer)


@contextmanager
def _json_lines(path: Path) -> Iterator[Sheet]:
    with path.open("w", encoding="utf-8") as file:
        yield _Lines(file)


_FORMATS = {".parquet": _parquet, ".csv": _csv, ".jsonl": _json_lines}


def _flat(score: Score) -> dict[str, Any]:
    interval = score.interval
    own = {name: getattr(score, name) for name in SCHEMA.names if hasattr(score, name)}
    ends = {} if interval is None else {"interval_low": interval.low, "interval_high": interval.high}
    return {**own, **ends, "reasons": to_json(score.reasons).decode()}
