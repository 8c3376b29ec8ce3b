"""A first draft of a site from raw files: what `leadlight init` writes for a person to finish."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from features.draft.profile import profile, unread
from features.draft.readings import prepared
from features.draft.roles import guess
from features.draft.write import files
from features.encoding import utf8_folder
from leadlight.settings import SiteError

__all__ = ["Draft", "draft_site"]


@dataclass(frozen=True)
class Draft:
    """The files written, and of each raw file or column that was left out why."""

    files: tuple[Path, ...]
    left_out: dict[str, str]


def draft_site(folder: Path, data: Path) -> Draft:
    """Write the four files of a site over the CSV, Parquet or JSON files in ``data``.

    Nothing is overwritten: a folder that already holds one of the files is a ``SiteError``, as are data in which no
    table of leads can be told.
    """
    taken = [str(folder / name) for name in _NAMES if (folder / name).exists()]
    if taken:
        raise SiteError([f"{path}: exists already; choose another folder or move it away" for path in taken])
    with utf8_folder(data) as readable:
        roles = guess([prepared(table, readable) for table in profile(readable)], readable)
        written = files(folder.name, roles, readable)
    for name, text in written.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Draft(tuple(folder / name for name in written), {**unread(data), **roles.unused, **roles.left_out})


_NAMES = ("leadlight.toml", "catalogue.toml", "sources/leads.sql", "sources/events.sql")
