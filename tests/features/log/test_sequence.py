"""One clock for all who use a log: whatever is committed later arrives later than anybody has asked about."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy import Engine

from features.log import Head, Log
from leadlight.database import read, writing
from leadlight.database.opening import REVISION, open_sqlite
from leadlight.schema import MINUTE
from tests.features.log.log_builders import a_version, an_event

acts = st.tuples(st.integers(0, 2), st.sampled_from(["ask", "ask of now", "ask of the newest", "write"]))
steps = st.lists(st.tuples(acts, st.integers(-5, 5)), max_size=30)


@dataclass
class World:
    """Some processes, each with a slow or fast clock of its own, and what they were answered."""

    logs: list[Log]
    now: int
    lead: str
    arrivals: list[int] = field(default_factory=list)
    asked: dict[int, int] = field(default_factory=dict)
    """How many arrivals a moment was answered with."""

    def act(self, who: int, what: str, wall: int) -> None:
        """Let one of them do it by its own clock."""
        log = self.logs[who]
        if what == "write":
            event = an_event(f"{self.lead}/{len(self.arrivals)}", self.lead)
            self.arrivals.append(log.append([event], now=lambda: wall, base={}).arrived_at)
            return
        head: Head | None = log.look()
        assert head is not None
        moment = head.settled if what == "ask" else wall if what == "ask of now" else head.newest + 1
        if moment > head.settled:
            head = log.settle(moment)
        assert head is not None
        assert head.settled >= moment
        self.asked[moment] = sum(arrived_at <= moment for arrived_at in self.arrivals)


@given(steps)
@examples(max_examples=60)
def test_no_fact_ever_arrives_at_a_moment_that_was_asked_about(
    database: Engine, steps: list[tuple[tuple[int, str], int]]
) -> None:
    """However the clocks of the processes differ, stand still or go back; and whoever asks next counts all there is."""
    logs = [Log(database) for _ in range(3)]
    start = logs[0].look().settled + MINUTE
    lead = f"clock/{start}"
    world = World(logs, start, lead)
    logs[0].append([a_version(lead)], now=lambda: start, base={})

    for (who, what), tick in steps:
        world.now += max(tick, 0)
        world.act(who, what, world.now + (0, -40, 3)[who] + tick)
        assert max(world.arrivals, default=0) < logs[0].look().settled

    for moment, counted in world.asked.items():
        assert sum(arrived_at <= moment for arrived_at in world.arrivals) == counted
    assert world.arrivals == sorted(set(world.arrivals))


def test_the_time_of_arrival_is_told_when_nobody_else_can_write(log: Log, engine: Engine) -> None:
    """Somebody asks of a later moment before the fact is stamped: it arrives after that."""
    log.append([a_version()], now=lambda: 5_000, base={})

    def slowly() -> int:
        waiting = Log(engine).settle(9_000, patience_ms=50)
        assert waiting is None
        return 6_000

    appended = log.append([an_event()], now=slowly, base={})
    settled = log.settle(9_000)

    assert appended.arrived_at == 6_000
    assert settled == Head(seq=2, newest=6_000, clock=8_999)
    assert log.append([an_event("e2")], now=lambda: 7_000, base={}).arrived_at == 9_001


def test_a_moment_that_is_settled_moves_nothing(log: Log) -> None:
    log.append([a_version()], now=lambda: 5_000, base={})

    assert log.settle(4_000) == log.settle(5_001) == log.look() == Head(1, 5_000, 5_000)


def test_moving_the_clock_leaves_a_connection_as_it_was(log: Log, engine: Engine) -> None:
    """It does not wait for the disk; the facts that are written over the same connection do."""
    log.settle(7_000, patience_ms=0)

    if engine.dialect.name == "sqlite":
        assert read(engine, "PRAGMA synchronous") == [(2,)]
        assert read(engine, "PRAGMA busy_timeout") == [(30_000,)]
    else:
        assert read(engine, "SHOW synchronous_commit") == [("on",)]
        assert read(engine, "SHOW lock_timeout") == [("0",)]


def test_an_older_log_goes_on_after_its_newest_arrival(tmp_path: Path) -> None:
    """Of a database of the revision before, the clock begins where the facts end."""
    file = tmp_path / "leadlight.db"
    engine = open_sqlite(file)
    Log(engine).append([a_version(hashes=(("phone", "h"),))], now=lambda: 5_000, base={})
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE contacts SET arrived_at = 6000")
        for column in ("newest", "clock"):
            connection.exec_driver_sql(f"ALTER TABLE head DROP COLUMN {column}")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0002'")
    engine.dispose()

    again = open_sqlite(file)

    assert read(again, "SELECT version_num FROM alembic_version") == [(REVISION,)]
    assert Log(again).look() == Head(2, 6_000, 6_000)
    again.dispose()
