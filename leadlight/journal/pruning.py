"""How old answers leave the journal: what the site need not keep any longer goes, the oldest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from leadlight.database import spoken, writing
from leadlight.schema import Micros

if TYPE_CHECKING:
    from sqlalchemy import Engine

AT_ONCE: Final = 2_000
"""Answers in one commit: whoever writes meanwhile waits for no more."""
_PRUNE: Final = (
    "DELETE FROM answers WHERE id IN (SELECT id FROM answers WHERE asked_at < ? ORDER BY asked_at, id LIMIT ?)"
)


def prune_answers(engine: Engine, before: Micros, *, at_once: int = AT_ONCE) -> int:
    """Take out every answer given before this moment; how many. ``DatabaseUnavailable``: some are left, prune again."""
    count = 0
    while True:
        with writing(engine) as connection:
            gone = connection.exec_driver_sql(spoken(_PRUNE, engine), (before, at_once)).rowcount
        count += gone
        if gone < at_once:
            return count
