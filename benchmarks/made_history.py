"""A made-up history of any size for the benchmarks: what ``made/`` says of its site, drawn with SQL from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import ibis

from features.catalogue import Catalogue, load_catalogue
from features.duck import connect
from features.facts import Tables
from features.history import History, open_history, publish, write_history
from leadlight.settings import Site, load_site

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

MADE = Path(__file__).parent / "made"
SEED = 7
QUIET = "SET enable_progress_bar = false"


@dataclass(frozen=True)
class Made:
    """The site, and what was drawn of it into ``folder``: a history, and a spine with a moment for each lead."""

    folder: Path

    @property
    def spine(self) -> Path:
        """``lead_id, as_of, channel``."""
        return self.folder / "spine.parquet"

    @property
    def site(self) -> Site:
        """As ``leadlight.toml`` has it."""
        return load_site(MADE)

    @property
    def catalogue(self) -> Catalogue:
        """As ``catalogue.toml`` has it: forty columns."""
        return load_catalogue(self.site)

    def history(self) -> History:
        """All that was drawn."""
        return open_history(self.folder)

    def files(self, table: str) -> str:
        """The files of one table of the history, for DuckDB."""
        return str(self.history().root / table / "*" / "part.parquet")

    def by_hand(self) -> str:
        """The query of ``by_hand.sql`` over what was drawn."""
        text = (MADE / "by_hand.sql").read_text(encoding="utf-8")
        return text.format(events=self.files("events"), spine=self.spine)


def draw(folder: Path, *, leads: int, events: int, seed: int = SEED) -> Made:
    """Draw ``leads`` with about ``events`` between them into ``folder``."""
    made = Made(folder)
    connection = connect()
    connection.con.execute(QUIET)
    try:
        text = (MADE / "draw.sql").read_text(encoding="utf-8")
        connection.con.execute(text.format(leads=leads, events=events, seed=seed))
        connection.table("made_spine").to_parquet(made.spine)
        publish(write_history(_tables(connection), connection, folder), folder)
    finally:
        connection.disconnect()
    return made


def draw_apart(folder: Path, *, leads: int, events: int) -> Made:
    """``draw`` in a process of its own: a child's peak memory is never less than what its parent once took."""
    drawing = get_context("spawn").Process(target=draw, args=(folder,), kwargs={"leads": leads, "events": events})
    drawing.start()
    drawing.join()
    if drawing.exitcode:
        raise SystemExit("nothing could be drawn: see above")
    return Made(folder)


def _tables(connection: Backend) -> Tables:
    made = connection.table("made_leads")
    nobody = {"lead_id": "string", "since": "int64", "until": "int64", "canonical_id": "string"}
    contacts = {"lead_id": "string", "type": "string", "hash": "string", "known_at": "int64"}
    return Tables(
        leads=made.mutate(known_at=made.created_at, contact=ibis.null("string")),
        attributes=made.select(
            "lead_id", "channel", at=made.created_at, arrived_at=made.created_at, until=ibis.null("int64")
        ),
        events=connection.table("made_events"),
        contacts=connection.create_table("made_contacts", schema=ibis.schema(contacts)),
        identity=connection.create_table("made_identity", schema=ibis.schema(nobody)),
    )
