"""A file of facts as rows: whatever its format and encoding, each row by the names that the site gives its headers."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

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


@dataclass(frozen=True)
class FileRow:
    """One row: its number in the file (from 1, without the header) and its values, blank ones left out."""

    number: int
    values: Mapping[str, object]


def read_rows(path: Path, site: Site) -> Iterator[FileRow]:
    """The rows of a CSV (UTF-8 or GB18030), Parquet or JSON lines file.

    ``UsageError`` for another suffix or a missing file, and for a file that is not what its suffix says.
    """
    if path.suffix not in FORMATS:
        raise UsageError([f"{path}: a file of facts ends in {', '.join(FORMATS)}"])
    if not path.is_file():
        raise UsageError([f"{path}: no such file"])
    names = {**ALIASES, **{header.casefold(): name for header, name in site.aliases.items()}}
    try:
        for number, row in enumerate(_READERS[path.suffix](path), start=1):
            named = {names.get(header.strip().casefold(), header.strip()): value for header, value in row.items()}
            yield FileRow(number, {name: value for name, value in named.items() if not _is_blank(value)})
    except (csv.Error, ValueError, OSError) as error:
        raise UsageError([f"{path}: cannot be read as {path.suffix.removeprefix('.')}: {error}"]) from error


def _csv(path: Path) -> Iterator[Mapping[str, object]]:
    """UTF-8 where the bytes are that, else GB18030, which the spreadsheets of China write."""
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030")
    lines = text.splitlines(keepends=True)
    rows = csv.DictReader(lines, restkey="", strict=True)
    for row in rows:
        if "" in row and row[""] not in (None, []):
            message = f"line {rows.line_num} has more cells than the header"
            raise ValueError(message)
        yield {header: value for header, value in row.items() if header}


def _parquet(path: Path) -> Iterator[Mapping[str, object]]:
    for batch in pq.ParquetFile(path).iter_batches():
        yield from batch.to_pylist()


def _json_lines(path: Path) -> Iterator[Mapping[str, object]]:
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                row = json.loads(line)
                if not isinstance(row, dict):
                    message = f"line {number} is no JSON object"
                    raise ValueError(message)
                yield row


_READERS = {".csv": _csv, ".parquet": _parquet, ".jsonl": _json_lines}


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
