"""A file of facts as rows: whatever its format and encoding, each row by the names that the site gives its headers."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import pyarrow.parquet as pq

from features.arrivals import Wrong
from features.encoding import encoding_of
from leadlight.schema import AMOUNT, AT, CHANNEL, CREATED_AT, EVENT_ID, KIND, LEAD_ID
from leadlight.settings import Site, UsageError

UNITS = "amount_units"
"""An amount as people write it: 199.00, not 199000 thousandths."""
FORMATS = (".csv", ".parquet", ".jsonl")
ALIASES = {
    "线索编号": LEAD_ID,
    "线索id": LEAD_ID,
    "创建时间": CREATED_AT,
    "渠道": CHANNEL,
    "来源渠道": CHANNEL,
    "事件编号": EVENT_ID,
    "事件id": EVENT_ID,
    "事件": KIND,
    "事件类型": KIND,
    "时间": AT,
    "发生时间": AT,
    "金额": UNITS,
    "手机": "phone",
    "手机号": "phone",
    "微信": "wechat",
    "邮箱": "email",
    "设备": "device",
    "amount (thousandths)": AMOUNT,
}
"""What the usual Chinese headers mean; a site's own ``[aliases]`` come first."""


_BATCH = 1_000
_SHOWN = 200
"""How much of a row that cannot be read is told."""


@dataclass(frozen=True)
class FileRow:
    """One row: its number in the file (from 1, without the header) and its values, blank ones left out."""

    number: int
    values: Mapping[str, object]


@dataclass(frozen=True)
class Refusal:
    """A row that was not taken in, what is wrong with it, and whose it is as far as that could be read."""

    number: int
    wrong: Wrong
    lead_id: str = ""


def read_rows(path: Path, site: Site) -> Iterator[FileRow | Refusal]:
    """The rows of a CSV or JSON lines (UTF-8 or GB18030) or Parquet file, one at a time; a broken row is a ``Refusal``.

    ``UsageError`` for another suffix, a missing or an empty file, one that is not what its suffix says, and columns
    that mean the same.
    """
    form = path.suffix.lower()
    if form not in FORMATS:
        raise UsageError([f"{path}: a file of facts ends in {', '.join(FORMATS)}"])
    if not path.is_file():
        raise UsageError([f"{path}: no such file"])
    names = {**ALIASES, **{header.casefold(): name for header, name in site.aliases.items()}}
    try:
        for number, row in enumerate(_READERS[form](path, names), start=1):
            if isinstance(row, Wrong):
                yield Refusal(number, row)
            else:
                yield FileRow(number, {name: value for name, value in row.items() if not _is_blank(value)})
    except (csv.Error, ValueError, OverflowError, OSError) as error:
        raise UsageError([f"{path}: cannot be read as {form.removeprefix('.')}: {error}"]) from error


def _csv(path: Path, names: Mapping[str, str]) -> Iterator[Mapping[str, object] | Wrong]:
    """What has more cells than the header is refused: nobody knows which of them is too many."""
    with _opened(path) as file:
        cells = csv.reader(file, strict=True)
        header = _named(next((row for row in cells if row), []), names)
        read_to = cells.line_num
        while True:
            try:
                row = next(cells)
            except StopIteration:
                return
            except csv.Error as error:
                yield Wrong(
                    _lines(read_to + 1, cells.line_num),
                    str(error),
                    "CSV; a cell with quotes, commas or line "
                    'breaks stands in quotes, and a quote in it is doubled: "..."',
                )
            else:
                if row:
                    yield _row(row, header, _lines(read_to + 1, cells.line_num))
            read_to = cells.line_num


def _row(cells: Sequence[str], header: Sequence[str], where: str) -> Mapping[str, object] | Wrong:
    if len(cells) > len(header):
        allowed = f"{len(header)} cells, as the header has, not {len(cells)}; a cell with a comma stands in quotes"
        return Wrong(where, ",".join(cells)[:_SHOWN], allowed)
    row = dict(zip(header, cells, strict=False))
    if any(not name and cell.strip() for name, cell in zip(header, cells, strict=False)):
        return Wrong(where, ",".join(cells)[:_SHOWN], "cells under a name only; the header has none for one of these")
    return {name: cell for name, cell in row.items() if name}


def _parquet(path: Path, names: Mapping[str, str]) -> Iterator[Mapping[str, object] | Wrong]:
    file = pq.ParquetFile(path)
    header = _named(file.schema_arrow.names, names)
    for batch in file.iter_batches(batch_size=_BATCH):
        yield from batch.rename_columns(header).to_pylist()


def _json_lines(path: Path, names: Mapping[str, str]) -> Iterator[Mapping[str, object] | Wrong]:
    with _opened(path) as file:
        empty = True
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield _object(line, names, _lines(number, number))
                empty = False
    if empty:
        raise ValueError(_EMPTY)


def _object(line: str, names: Mapping[str, str], where: str) -> Mapping[str, object] | Wrong:
    line = line.strip()
    try:
        row = json.loads(line, object_pairs_hook=_Pairs)
        if not isinstance(row, _Pairs):
            return Wrong(where, line[:_SHOWN], "a JSON object, such as {...}")
        values = [dict(value) if isinstance(value, _Pairs) else value for _, value in row]
        return dict(zip(_named([name for name, _ in row], names), values, strict=True))
    except json.JSONDecodeError as error:
        return Wrong(where, line[:_SHOWN], f"one whole JSON object a line; {error.msg} at character {error.pos + 1}")
    except (ValueError, RecursionError) as error:
        return Wrong(where, line[:_SHOWN], f"one JSON object a line; {error}")


_READERS = {".csv": _csv, ".parquet": _parquet, ".jsonl": _json_lines}


class _Pairs(list[tuple[str, object]]):
    """A JSON object as it is written: a name may be there twice."""


_EMPTY = "it is empty"


def _opened(path: Path) -> TextIO:
    encoding = encoding_of(path)
    if encoding is None:
        message = "it is neither UTF-8 nor GB18030; save it as UTF-8"
        raise ValueError(message)
    return path.open(encoding=encoding, newline="")


def _named(headers: Sequence[str], names: Mapping[str, str]) -> list[str]:
    """The headers by the names they mean, each there once."""
    named = [names.get(header.strip().casefold(), header.strip()) for header in headers]
    if not any(named):
        raise ValueError(_EMPTY)
    twice = [name for name, times in Counter(named).items() if name and times > 1]
    if twice:
        same = "; ".join(
            f"{name} is meant by {' and '.join(h for h, n in zip(headers, named, strict=True) if n == name)}"
            for name in twice
        )
        message = f"a column is there more than once: {same}; keep one of them"
        raise ValueError(message)
    return named


def _lines(first: int, last: int) -> str:
    return f"line {last}" if first >= last else f"lines {first} to {last}"


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
