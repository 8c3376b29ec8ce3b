"""Answers on their way into the journal: many in one commit, each once however often it is sent."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from leadlight.database import spoken, writing
from leadlight.journal.answer import COLUMNS, Answer
from leadlight.journal.erasing import buried

if TYPE_CHECKING:
    from sqlalchemy import Engine

_INSERT: Final = (
    f"INSERT INTO answers ({', '.join(COLUMNS)}) VALUES ({', '.join('?' for _ in COLUMNS)}) ON CONFLICT (id) DO NOTHING"
)
_FORGET: Final = "INSERT INTO erased_answers (id, erased_at) VALUES (?, ?) ON CONFLICT (id) DO NOTHING"
_values = operator.attrgetter(*COLUMNS)


def keep(engine: Engine, answers: Sequence[Answer]) -> int:
    """Write the answers in one commit; how many there were of leads that were erased meanwhile, which are not kept.

    What is sent again changes nothing. ``DatabaseUnavailable``: they may be there or not; send them again.
    """
    with writing(engine) as connection:
        if engine.dialect.name != "sqlite":  # before the look at the tombstones: whoever erases waits, or is seen
            connection.exec_driver_sql("LOCK TABLE answers IN ROW EXCLUSIVE MODE")
        gone = buried(connection, [answer.lead_id for answer in answers])
        kept = [_values(answer) for answer in answers if answer.lead_id not in gone]
        late = [(answer.id, gone[answer.lead_id]) for answer in answers if answer.lead_id in gone]
        if kept:
            connection.exec_driver_sql(spoken(_INSERT, engine), kept)
        if late:
            connection.exec_driver_sql(spoken(_FORGET, engine), late)
    return len(late)
