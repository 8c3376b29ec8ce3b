"""Facts on their way into the log: those that come together are kept in one commit, and arrive at one moment.

A commit waits for the disk, so while one is under way those who come join the next: hundreds a second cost few commits.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from features.facts import LeadFacts
from features.log import Appended, Log, NewFact, Refused, happened
from leadlight.schema import Micros


@dataclass
class _Waiting:
    """One request's facts, and what became of them."""

    facts: Sequence[NewFact]
    appended: Appended | None = None
    fault: Exception | None = None
    done: bool = False


@dataclass
class Writer:
    """The one door to the log of this process. ``base`` says what is recorded of some leads."""

    log: Log
    facts_tell_time: bool
    """In a log that has ended, a fact moves the clock: it arrives when it happened, if that is later."""
    _writing: threading.Lock = field(default_factory=threading.Lock)
    _queue: deque[_Waiting] = field(default_factory=deque)

    def append(
        self,
        facts: Sequence[NewFact],
        *,
        now: Callable[[], Micros],
        base: Callable[[set[str]], Mapping[str, LeadFacts]],
        then: Callable[[set[str]], None],
    ) -> Appended:
        """Keep ``facts``, all or none, in one commit with those who came meanwhile.

        ``then`` is told whose facts a commit held, once for all of them, before anybody is answered. ``Refused`` tells
        what the log would not take of this caller's facts.
        """
        mine = _Waiting(facts)
        self._queue.append(mine)
        with self._writing:
            if not mine.done:
                batch = [self._queue.popleft() for _ in range(len(self._queue))]
                leads = self._commit(batch, now, base)
                if leads:
                    then(leads)
                for each in batch:
                    each.done = True
        if mine.appended is None:
            raise mine.fault or RuntimeError("no answer")
        return mine.appended

    def _commit(
        self, batch: list[_Waiting], now: Callable[[], Micros], base: Callable[[set[str]], Mapping[str, LeadFacts]]
    ) -> set[str]:
        """Append the facts of all in ``batch`` but of those that are refused; the leads that were appended to."""
        try:
            left = batch
            while left and not self._append(left, now, base):
                left = [each for each in left if each.fault is None]
        except Exception as fault:  # noqa: BLE001  each of those who wait hears of it, and raises it
            for each in batch:
                each.fault = each.fault or fault
        return {fact.lead_id for each in batch if each.appended is not None for fact in each.facts}

    def _append(
        self,
        waiting: list[_Waiting],
        now: Callable[[], Micros],
        base: Callable[[set[str]], Mapping[str, LeadFacts]],
    ) -> bool:
        """Append the facts of all who wait; if some are refused nothing is, and they are told."""
        facts = [fact for each in waiting for fact in each.facts]
        moments = [*map(happened, facts)] if self.facts_tell_time else []
        recorded = base({fact.lead_id for fact in facts})
        try:
            appended = self.log.append(facts, now=lambda: max([now(), *moments]), base=recorded)
        except Refused as refused:
            _tell(waiting, refused)
            return False
        _share_out(waiting, appended)
        return True


def _tell(waiting: list[_Waiting], refused: Refused) -> None:
    """Each of those of whose facts some were refused hears what is wrong with them."""
    first = 0
    for each in waiting:
        own = [(place - first, words) for place, words in refused.by_fact if 0 <= place - first < len(each.facts)]
        first += len(each.facts)
        each.fault = Refused(own) if own else None


def _share_out(batch: list[_Waiting], appended: Appended) -> None:
    first = 0
    for each in batch:
        each.appended = replace(appended, results=appended.results[first : first + len(each.facts)])
        first += len(each.facts)
