"""The server's clock: an answer is of a settled moment, waits for nobody for long, and says so when it is late."""

from __future__ import annotations

import pytest

from features.history import open_history
from features.log import Log, NewVersion
from features.log.sequence import lock_head
from features.past import Past
from leadlight.database import open_database, writing
from leadlight.schema import DAY, HOUR, SECOND
from serving.clock import Clock
from tests.journey.skew import SITE_ON_THE_WALL_CLOCK, START, Replay, made_site
from tests.serving.serving_builders import CATALOGUE, SITE


def past_of(folder: pytest.TempPathFactory, text: str) -> tuple[Replay, Past, Log]:
    made = made_site(folder.mktemp("clock") / "site", text, CATALOGUE, seed=1)
    made.build()
    log = Log(open_database(made.site, made.state))
    return made, Past(open_history(made.state), log, made.site.identity), log


@pytest.fixture
def on_the_wall(tmp_path_factory: pytest.TempPathFactory) -> tuple[Replay, Past, Log]:
    return past_of(tmp_path_factory, SITE_ON_THE_WALL_CLOCK)


def a_lead(name: str) -> NewVersion:
    return NewVersion(name, None, "sem", None, None, {}, ())


def test_it_is_moved_a_few_times_a_second_and_read_in_between(on_the_wall: tuple[Replay, Past, Log]) -> None:
    """It never goes back, and lies behind the wall clock by a tenth of a second at most."""
    made, past, log = on_the_wall
    clock = Clock(made.site, log, wall=lambda: made.now)

    seen = []
    for step in (0, 40_000, 50_000, 20_000, -SECOND, SECOND):
        made.now += step
        seen.append(clock.now(past).moment - START)

    assert seen == [0, 0, 0, 110_000, 110_000, 110_000]


def test_what_was_accepted_counts_at_once_though_the_wall_clock_went_back(
    on_the_wall: tuple[Replay, Past, Log],
) -> None:
    made, past, log = on_the_wall
    clock = Clock(made.site, log, wall=lambda: made.now)
    arrived_at = log.append([a_lead("new")], now=lambda: made.now + HOUR, base={}).arrived_at

    assert clock.now(past).moment == arrived_at + 1 == made.now + HOUR + 1


def test_an_answer_waits_for_no_writer_beyond_its_deadline(on_the_wall: tuple[Replay, Past, Log]) -> None:
    """It is then of the last moment of which all is known, and late if that is long ago, or was asked for by name."""
    made, past, log = on_the_wall
    clock = Clock(made.site, log, wall=lambda: made.now)
    before = clock.now(past)
    engine = open_database(made.site, made.state)

    with writing(engine) as connection:
        lock_head(connection)
        made.now += SECOND // 2
        soon = clock.now(past)
        made.now += SECOND
        later = clock.now(past)
        named = clock.settled(made.now, later.head)
    after = clock.now(past)
    engine.dispose()

    assert [(each.moment, each.late) for each in (soon, later, named)] == [
        (before.moment, False),
        (before.moment, True),
        (before.moment, True),
    ]
    assert (after.moment, after.late) == (made.now, False)


def test_where_facts_tell_the_time_no_question_moves_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A question of a later moment is answered, and the next fact arrives just after the last one all the same."""
    made, past, log = past_of(tmp_path_factory, SITE)
    clock = Clock(made.site, log, wall=lambda: made.now + 400 * DAY)

    first = clock.now(past)
    ahead = clock.settled(made.now + 400 * DAY, first.head)
    arrived_at = log.append([a_lead("new")], now=lambda: past.now(made.site, wall=made.now), base={}).arrived_at

    assert first.moment == past.newest_fact + 1
    assert (ahead.moment, ahead.late) == (made.now + 400 * DAY, False)
    assert arrived_at == first.moment + 1
    assert clock.now(past).moment == arrived_at + 1
