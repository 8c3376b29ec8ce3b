"""A first draft of a site from raw files: what `leadlight init` writes for a person to finish."""

from __future__ import annotations

from pathlib import Path

from features.draft.profile import TableProfile, profile
from features.draft.roles import guess
from features.draft.write import files
from leadlight.schema import DAY, Micros, from_micros
from leadlight.settings import SiteError

__all__ = ["draft_site"]


def draft_site(folder: Path, data: Path, *, wall: Micros) -> list[Path]:
    """Write the four files of a site over the CSV or Parquet files in ``data``; returns their paths.

    Nothing is overwritten: a folder that already holds one of the files is a ``SiteError``, as are data in which no
    table of leads can be told. A log whose newest moment is over a month before ``wall`` is taken to have ended.
    """
    taken = [str(folder / name) for name in _NAMES if (folder / name).exists()]
    if taken:
        raise SiteError([f"{path}: exists already; choose another folder or move it away" for path in taken])
    tables = profile(data)
    written = files(folder.name, guess(tables, data), ended=_ended(tables, wall))
    for name, text in written.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [folder / name for name in written]


def _ended(tables: list[TableProfile], wall: Micros) -> bool:
    newest = max((c.high for t in tables for c in t.columns if c.is_time and c.high), default="")
    return newest < from_micros(wall - 30 * DAY).date().isoformat()


_NAMES = ("leadlight.toml", "catalogue.toml", "sources/leads.sql", "sources/events.sql")
