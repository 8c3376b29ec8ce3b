"""Raw text files in GB18030, which the spreadsheets of China write, as UTF-8: DuckDB by itself does not read them."""

from __future__ import annotations

import codecs
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

_TEXTS = {".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson"}
_CHUNK = 1 << 22
_PLAIN = re.compile(r"[\x00-\x7f]+")
_HALF = 0.5


@contextmanager
def utf8_folder(data: Path) -> Iterator[Path]:
    """``data``; where text files in it are GB18030, a passing folder of links to its files with UTF-8 copies of those.

    What is neither UTF-8 nor GB18030 is left as it is: who reads it will say so.
    """
    foreign = {path for path in _files(data) if path.suffix.lower() in _TEXTS and is_gb18030(path)}
    if not foreign:
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="leadlight-") as made:
        folder = Path(made)
        for path in _files(data):
            place = folder / path.relative_to(data)
            place.parent.mkdir(parents=True, exist_ok=True)
            if path in foreign:
                _copy(path, place)
            else:
                place.symlink_to(path.absolute())
        yield folder


def is_gb18030(path: Path) -> bool:
    """Whether a text is no UTF-8 and makes sense as GB18030."""
    return encoding_of(path) == "gb18030"


def encoding_of(path: Path) -> str | None:
    """``utf-8-sig`` (its mark may be missing), ``gb18030``, or None for a text that is neither; reads it in parts.

    As GB18030 a text makes sense if at least half of its wide characters are common ones: nearly any Western text can
    be decoded as GB18030, too; what comes out is rare characters.
    """
    if _decoded(path, "utf-8") is not None:
        return "utf-8-sig"
    beyond = _decoded(path, "gb18030")
    return "gb18030" if beyond is not None and beyond.common >= _HALF * beyond.all else None


def _files(data: Path) -> list[Path]:
    return sorted(path for path in data.rglob("*") if path.is_file())


class _Beyond(NamedTuple):
    """How many characters beyond ASCII a text has, and how many of them GB2312 has."""

    all: int
    common: int


def _decoded(path: Path, encoding: str) -> _Beyond | None:
    """The wide characters of a text, or None if it is not ``encoding``."""
    decoder = codecs.getincrementaldecoder(encoding)()
    found = common = 0
    try:
        with path.open("rb") as opened:
            for chunk in iter(lambda: opened.read(_CHUNK), b""):
                wide = _PLAIN.sub("", decoder.decode(chunk))
                found, common = found + len(wide), common + len(wide.encode("gb2312", "ignore")) // 2
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return None
    return _Beyond(found, common)


def _copy(path: Path, place: Path) -> None:
    with path.open(encoding="gb18030", newline="") as old, place.open("w", encoding="utf-8", newline="") as new:
        while chunk := old.read(_CHUNK):
            new.write(chunk)
