"""Which files outside the state folder tell of leads, so that whoever is erased can be taken out of them too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from leadlight.database.opening import open_database
from leadlight.database.use import read, writing
from leadlight.schema import Micros
from leadlight.settings import Site

if TYPE_CHECKING:
    from sqlalchemy import Engine


def remember_export(site: Site, state: Path, path: Path, *, at: Micros) -> None:
    """Note that ``path`` is written at ``at``; said before the file is there, so that none is ever forgotten."""
    from leadlight.database.tables import EXPORTS

    file = str(path.absolute())
    engine = open_database(site, state)
    try:
        with writing(engine) as connection:
            connection.execute(EXPORTS.delete().where(EXPORTS.c.path == file))
            connection.execute(EXPORTS.insert().values(path=file, written_at=at))
    finally:
        engine.dispose()


def exported_files(engine: Engine) -> list[Path]:
    """The files about leads that Leadlight wrote outside its own state, as far as it remembers."""
    paths = [Path(path) for (path,) in read(engine, "SELECT path FROM exports ORDER BY path")]
    return [file for path in paths for file in (sorted(path.rglob("*.parquet")) if path.is_dir() else [path])]
