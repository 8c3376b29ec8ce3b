"""The score journal's writer: answers queue up while they are given, and a thread of its own writes them down.

An answer never fails for the journal. At most ``ROOM`` answers wait to be written. While there is no room, a request
waits up to ``PATIENCE_SECONDS`` for some, unless the database is failing; then the answer is given all the same, is
lost to the journal, and is counted. A clean stop writes all that waits.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from leadlight.database import DatabaseUnavailable
from leadlight.journal import Answer
from serving.entries import Entry, Names, Told, to_answers
from serving.schemas import Score
from serving.schemas_health import JournalHealth
from serving.scoring import Answered

ROOM: Final = 50_000
AT_ONCE: Final = 1_000
"""Answers in one commit, at most."""
GATHER_SECONDS: Final = 0.05
"""How long the first answer waits for others to share its commit."""
PATIENCE_SECONDS: Final = 1.0
RETRY_SECONDS: Final = 1.0
STOP_SECONDS: Final = 10.0
"""How long a stop waits for a database that fails."""
_log = logging.getLogger("leadlight.serving")


@dataclass
class _Counts:
    written: int = 0
    lost: int = 0
    shadow_failed: int = 0


class Journal:
    """The journal of one process, written by ``keep``. Any thread may give; the writing one begins with an answer."""

    def __init__(
        self, keep: Callable[[Sequence[Answer]], object], *, room: int = ROOM, stop_seconds: float = STOP_SECONDS
    ) -> None:
        self._keep = keep
        self._room = room
        self._stop_seconds = stop_seconds
        self._names = Names()
        self._changed = threading.Condition()
        self._queue: deque[Entry] = deque()
        self._in_hand = 0
        self._counts = _Counts()
        self._failing = False
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._given_up_at = float("inf")

    def give(self, answered: Sequence[Answered], told: Told) -> list[Score]:
        """The scores, named; they will be in the journal soon after."""
        named = self._names.name(answered)
        with self._changed:
            self._begin()
            self._changed.wait_for(lambda: self._failing or self._has_room(len(named)), PATIENCE_SECONDS)
            if self._has_room(len(named)):
                self._queue.extend(Entry(each, told) for each in named)
                self._changed.notify_all()
            else:
                self._lose(len(named), "no room")
        return [each.score for each in named]

    def health(self) -> JournalHealth:
        """How the journal is doing."""
        with self._changed:
            return JournalHealth(waiting=self._waiting(), failing=self._failing, **vars(self._counts))

    def close(self) -> None:
        """Write all that waits, and end the thread; a database that fails is given its seconds."""
        with self._changed:
            thread = self._thread
            self._given_up_at = time.monotonic() + self._stop_seconds
            self._stop.set()
            self._changed.notify_all()
        if thread is not None:
            thread.join()
        with self._changed:
            self._thread = None

    def _begin(self) -> None:
        if self._thread is None:
            self._stop.clear()
            self._failing, self._given_up_at = False, float("inf")
            self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
            self._thread.start()

    def _waiting(self) -> int:
        return len(self._queue) + self._in_hand

    def _has_room(self, count: int) -> bool:
        """Whether so many more may wait; where none waits any request may, however large."""
        waiting = self._waiting()
        return waiting == 0 or waiting + count <= self._room

    def _lose(self, count: int, why: str) -> None:
        with self._changed:
            self._counts.lost += count
        _log.error("answers_not_journalled", extra={"answers": count, "reason": why})

    def _run(self) -> None:
        while batch := self._take():
            self._write(self._in_terms(batch))
            with self._changed:
                self._in_hand = 0
                self._changed.notify_all()

    def _take(self) -> list[Entry]:
        """What waits, once something does; nothing at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._stop.is_set())
            self._changed.wait_for(lambda: len(self._queue) >= AT_ONCE or self._stop.is_set(), GATHER_SECONDS)
            batch = [self._queue.popleft() for _ in range(min(AT_ONCE, len(self._queue)))]
            self._in_hand = len(batch)
            return batch

    def _in_terms(self, batch: list[Entry]) -> list[Answer]:
        try:
            return to_answers(batch)
        except Exception as fault:  # noqa: BLE001  one answer that cannot be told must not end the thread
            if len(batch) == 1:
                self._lose(1, type(fault).__name__)
                return []
        return [answer for entry in batch for answer in self._in_terms([entry])]

    def _write(self, answers: list[Answer]) -> None:
        """Write the answers, however long it takes; one that no database can hold is lost, and no other with it."""
        while answers:
            if self._failing and time.monotonic() > self._given_up_at:
                self._lose(len(answers), "stopped while the database was failing")
                return
            try:
                self._keep(answers)
            except DatabaseUnavailable as fault:
                self._wait_out(fault)
            except Exception as fault:  # noqa: BLE001  nor one that cannot be written; its words may name the lead
                if len(answers) == 1:
                    self._lose(1, type(fault).__name__)
                    return
                self._write(answers[: len(answers) // 2])
                answers = answers[len(answers) // 2 :]
            else:
                self._written(answers)
                return

    def _wait_out(self, fault: DatabaseUnavailable) -> None:
        with self._changed:
            new, self._failing = not self._failing, True
            self._changed.notify_all()
        if new:
            _log.warning("journal_failing", extra={"reason": str(fault), "waiting": self._waiting()})
        if self._stop.wait(RETRY_SECONDS):
            time.sleep(RETRY_SECONDS / 5)

    def _written(self, answers: list[Answer]) -> None:
        with self._changed:
            recovered, self._failing = self._failing, False
            self._counts.written += len(answers)
            self._counts.shadow_failed += sum(
                each.shadow_version is not None and each.shadow_probability is None for each in answers
            )
        if recovered:
            _log.info("journal_written_again", extra={"waiting": self._waiting()})
