"""Many write at once, and may die while they do: nothing is lost, doubled, torn or missed."""

from __future__ import annotations

import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Engine

from features.log import Log
from tests.features.log.writers import EVENTS, batch, kill_writers, names, started
from tests.servers import postgres


def place_of(engine: Engine) -> str:
    """Where other processes find the same database."""
    if engine.dialect.name == "sqlite":
        return str(engine.url.database)
    return engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


def follow(log: Log, until: int) -> list[tuple[int, frozenset[str]]]:
    """Ask again and again what changed, until the log has got to ``until``."""
    seen = [(0, frozenset[str]())]
    patience = time.monotonic() + 120
    while seen[-1][0] < until:
        assert time.monotonic() < patience, f"the writers stopped at {seen[-1][0]}"
        head, leads = log.changed(seen[-1][0])
        seen.append((head.seq, leads))
    return seen


def check(log: Log, seen: list[tuple[int, frozenset[str]]], expected: set[str]) -> None:
    """Nothing is missing in the sequence, and each look saw exactly the leads of its stretch."""
    tail = log.tail(after=0, through=log.head())
    rows = [*tail.versions.select(["seq", "lead_id"]).to_pylist(), *tail.events.select(["seq", "lead_id"]).to_pylist()]
    assert sorted(row["seq"] for row in rows) == list(range(1, log.head() + 1))
    assert sorted(tail.events["event_id"].to_pylist()) == sorted(expected)
    for (after, _), (head, leads) in pairwise(seen):
        assert leads == {row["lead_id"] for row in rows if after < row["seq"] <= head}


def test_threads_and_processes_append_at_once_and_a_follower_misses_nothing(log: Log, engine: Engine) -> None:
    batches = range(15)
    writers = range(4)
    running = [started(place_of(engine), writer, batches) for writer in writers[:2]]
    threads = [
        threading.Thread(
            target=lambda own: [log.append(batch(own, number), now=lambda: 9_000, base={}) for number in batches],
            args=(writer,),
        )
        for writer in writers[2:]
    ]
    for thread in threads:
        thread.start()

    seen = follow(Log(engine), until=len(writers) * (1 + len(batches) * EVENTS))

    for thread in threads:
        thread.join()
    for process, _ in running:
        process.join()
    check(log, seen, {name for writer in writers for number in batches for name in names(writer, number)})


def test_two_senders_of_the_same_batch_write_it_once(log: Log, engine: Engine) -> None:
    results: list[str] = []
    barrier = threading.Barrier(6)

    def send() -> None:
        own = Log(engine)
        barrier.wait()
        results.extend(own.append(batch(0, 0), now=lambda: 9_000, base={}).results)

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(results) == ["added"] * (1 + EVENTS) + ["unchanged"] * 5 * (1 + EVENTS)
    assert log.head() == 1 + EVENTS


def test_writers_killed_at_any_moment_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    ledger = kill_writers(str(tmp_path / "leadlight.db"), writers=2, rounds=10, seed=7)

    assert ledger.kills == 20
    assert len(ledger.acknowledged) >= 4 * EVENTS
    assert (ledger.lost, ledger.doubled, ledger.torn, ledger.gaps) == (set(), set(), set(), 0)


@pytest.mark.proof
def test_a_postgres_and_its_writers_killed_at_any_moment_lose_nothing_and_double_nothing() -> None:
    with postgres(durable=True) as server:
        ledger = kill_writers(server.url, writers=2, rounds=4, seed=7, server=server)

    assert (ledger.kills, ledger.servers) == (8, 2)
    assert (ledger.lost, ledger.doubled, ledger.torn, ledger.gaps) == (set(), set(), set(), 0)
