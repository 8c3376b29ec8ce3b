"""A first draft of a site from raw files: what `leadlight init` writes for a person to finish."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from features.draft.guess import guess
from features.draft.profile import profile, unread
from features.draft.readings import prepared
from features.draft.write import files
from features.encoding import utf8_folder
from leadlight.settings import SiteError

__all__ = ["Draft", "draft_site"]


@dataclass(frozen=True)
class Draft:
    """The files written, of each raw file or column that was left out why, and which outcome was taken of which."""

    files: tuple[Path, ...]
    left_out: dict[str, str]
    outcome: tuple[str, ...] = ()


def draft_site(folder: Path, data: Path, *, outcome: str | None = None) -> Draft:
    """Write the four files of a site over the CSV, Parquet or JSON files in ``data``.

    ``outcome`` names what counts as success: a column of the leads, ``COLUMN=VALUE``, or a kind of event. Nothing is
    overwritten: a folder that already holds one of the files is a ``SiteError``, as are data in which no table of
    leads can be told, or nothing is called like the outcome.
    """
    taken = [str(folder / name) for name in _NAMES if (folder / name).exists()]
    if taken:
        raise SiteError([f"{path}: exists already; choose another folder or move it away" for path in taken])
    with utf8_folder(data) as readable:
        roles = guess([prepared(table, readable) for table in profile(readable)], readable, outcome)
        written = files(folder.name, roles, readable)
    for name, text in written.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    later = {roles.attributes[name].name: reason.partition("; if it is")[0] for name, reason in roles.later.items()}
    left_out = {**unread(data), **roles.unused, **roles.left_out, **later}
    return Draft(tuple(folder / name for name in written), left_out, (*roles.outcome, *roles.notes))


_NAMES = ("leadlight.toml", "catalogue.toml", "sources/leads.sql", "sources/events.sql")
