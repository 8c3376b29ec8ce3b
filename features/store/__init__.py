"""The door to Feast: point-in-time joins for training, newest rows for serving. Nothing else imports feast.

This module holds what both sides of the door must agree on, and imports nothing heavy: which tables the build writes
into the state folder and the names Feast needs beside those of ``leadlight.schema``. ``features.store.door`` has the
``Store`` itself; importing that costs seconds, so the command line does it late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

PROJECT: Final = "leadlight"


class StoreUnavailable(Exception):  # noqa: N818 - what is the case; whoever asked evaluates the facts instead
    """The online store failed, or did not answer within its deadline; nothing is known about the row."""


def lead_table(state: Path) -> Path:
    """Offline lead rows: ``lead_id``, ``as_of`` (timestamp[us, UTC]), ``row_as_of``, ``valid_until``, lead columns."""
    return state.absolute() / "offline" / "lead.parquet"


def context_table(state: Path) -> Path:
    """Offline context rows: ``context_key``, ``closed_at`` (timestamp[us, UTC]), ``row_closed_at``, context columns."""
    return state.absolute() / "offline" / "context.parquet"


def feast_folder(state: Path) -> Path:
    """Where Feast's registry and the embedded online store live."""
    return state.absolute() / "feast"
