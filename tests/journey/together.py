"""Several servers of one site, a file that is ingested and a reviewer, all at once on one log.

Each process has a wall clock of its own, and they differ. A day closes while they are at work. Whatever was answered is
written down, to be asked again, and to be held against a build, when all has happened.
"""

from __future__ import annotations

import datetime as dt
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx2

from features import context
from features.history import open_history
from features.identity.review import Review
from features.ingest import ingest
from features.log import Log, NewEdge
from features.rows import newest_closed_day
from leadlight.database import open_database
from leadlight.schema import HOUR, SECOND, Micros, from_micros, to_micros
from tests.journey.skew import ASKED, SITE_ON_THE_WALL_CLOCK, START, Asked, Replay, made_site, served
from tests.serving.serving_builders import CATALOGUE

LEADS = ("L00", "L01", "L02")
"""Few, so that much happens to each."""
OFFSETS = (0, -700_000, 300_000)
"""By how much the clock of each process differs from the first one's."""
INGESTED = 2_500


@dataclass
class Together:
    """One site with several servers; ``clients`` reach them."""

    replay: Replay
    clients: Sequence[httpx2.Client]
    began: float
    start: Micros
    answers: int
    sent: int = 0
    faults: list[BaseException] = field(default_factory=list)

    def wall(self, process: int) -> Micros:
        """The wall clock of a process."""
        return self.start + int((time.monotonic() - self.began) * SECOND) + OFFSETS[process % len(OFFSETS)]

    def live_through(self) -> None:
        """Let everybody ask, send, ingest and review until so many answers were given."""
        acts: list[Callable[[], None]] = [self._ingest, self._review]
        for number in range(len(self.clients)):
            acts += [partial(self._ask, number), partial(self._send, number)]
        threads = [threading.Thread(target=self._tried, args=(act,)) for act in acts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.faults:
            raise self.faults[0]

    def told_otherwise(self) -> list[str]:
        """What any server says today, of the moments that were asked about, otherwise than was said then."""
        told = []
        for number, was in enumerate(self.replay.asked):
            client = self.clients[number % len(self.clients)]
            found = self._profile(client, was.lead_id, as_of=_iso(was.as_of))
            if repr(found) != repr(was):
                told.append(f"{was.lead_id} at {was.as_of}: {_first_difference(was, found)}")
        return told

    def _tried(self, act: Callable[[], None]) -> None:
        try:
            act()
        except BaseException as fault:  # noqa: BLE001  a thread's fault is the test's
            self.faults.append(fault)

    def _goes_on(self) -> bool:
        return len(self.replay.asked) < self.answers and not self.faults

    def _ask(self, number: int) -> None:
        """Ask of now, and of the present moment by the asker's own clock."""
        draw = random.Random(number)  # noqa: S311  a drawn order
        with httpx2.Client(base_url=self.clients[number].base_url, timeout=60) as client:
            while self._goes_on():
                named = draw.random() < 1 / 3
                more = {"as_of": _iso(self.wall(number))} if named else {}
                self.replay.asked.append(self._profile(client, draw.choice(LEADS), **more))

    def _profile(self, client: httpx2.Client, lead_id: str, **more: str) -> Asked:
        answer = client.get(f"/v1/leads/{lead_id}/profile", params=more)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        tags = {tag["name"]: tag["value"] for theme in ASKED for tag in found[theme]}
        return Asked(found["lead_id"], to_micros(dt.datetime.fromisoformat(found["as_of"])), tags)

    def _send(self, number: int) -> None:
        """Events of few leads, corrections of them and new versions; each must count in the next answer of all."""
        draw = random.Random(-number)  # noqa: S311  a drawn order
        other = self.clients[number - 1]
        with httpx2.Client(base_url=self.clients[number].base_url, timeout=60) as client:
            while self._goes_on():
                lead_id, self.sent = draw.choice(LEADS), self.sent + 1
                if draw.random() < 1 / 8:
                    body = {"attributes": {"budget": self.sent}, "phone": f"1511234900{draw.randrange(3)}"}
                    sent = client.put(f"/v1/leads/{lead_id}", json=body)
                else:
                    event = {
                        "event_id": f"{number}/{lead_id}/{draw.randrange(10_000)}",
                        "lead_id": lead_id,
                        "kind": "page_view",
                        "at": _iso(self.wall(1) - draw.randrange(10) * SECOND),
                    }
                    sent = client.post("/v1/events", json={"events": [event]})
                assert sent.status_code == 200, sent.text
                self.replay.asked.append(self._profile(other, lead_id))
                time.sleep(draw.uniform(0, 0.03))

    def _ingest(self) -> None:
        file = self.replay.data.parent / "more.csv"
        rows = [f"m{n},{LEADS[n % len(LEADS)]},page_view,{_iso(START - n * SECOND)}" for n in range(INGESTED)]
        file.write_text("\n".join(["event_id,lead_id,kind,at", *rows]), encoding="utf-8")
        site, state = self.replay.site, self.replay.state
        with self._log() as log:
            taken = ingest(file, site, open_history(state), log, state=state, wall=lambda: self.wall(2))
        assert taken.results == {"added": INGESTED}, taken.refused

    def _review(self) -> None:
        one, apart = NewEdge("L00", "L01", "same", "review", ""), NewEdge("L01", None, "apart", "review", "")
        with self._log() as log:
            review = Review(self.replay.site, open_history(self.replay.state), log)
            while self._goes_on():
                for edge in (one, apart):
                    review.say(edge, wall=lambda: self.wall(1))
                    time.sleep(0.1)

    @contextmanager
    def _log(self) -> Iterator[Log]:
        """The log as another process opens it."""
        engine = open_database(self.replay.site, self.replay.state)
        try:
            yield Log(engine)
        finally:
            engine.dispose()


@contextmanager
def lived_together(folder: Path, *, servers: int, answers: int, database: str = "sqlite") -> Iterator[Together]:
    """A site that several servers have served while others wrote; they are still there to be asked."""
    stores = f'\n[stores]\ndatabase = "{database}"\n'
    replay = made_site(folder, SITE_ON_THE_WALL_CLOCK + stores, CATALOGUE, seed=4)
    replay.build()
    day = newest_closed_day(replay.site, START + HOUR)
    start = context.closing(replay.site, day + 1) - SECOND
    together = Together(replay, [], 0.0, start, answers)
    with ExitStack() as stack:
        together.began = time.monotonic()
        together.clients = [
            stack.enter_context(served(replay, wall=partial(together.wall, number))) for number in range(servers)
        ]
        together.began = time.monotonic()
        together.live_through()
        replay.now = together.wall(0) + SECOND
        yield together


def _first_difference(was: Asked, found: Asked) -> str:
    if (was.lead_id, was.as_of) != (found.lead_id, found.as_of):
        return f"the answer is of {found.lead_id} at {found.as_of}"
    return next(
        f"{name} was {value!r}, is {found.values[name]!r}"
        for name, value in was.values.items()
        if repr(value) != repr(found.values[name])
    )


def _iso(moment: Micros) -> str:
    return from_micros(moment).isoformat()
