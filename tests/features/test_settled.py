"""Whoever reads the base alone asks of a moment of which the base has all."""

from __future__ import annotations

from pathlib import Path

from features.history import open_history
from features.log import Log, NewVersion
from features.settled import clock_of_base
from leadlight.database import open_database
from leadlight.schema import HOUR, MINUTE, Micros
from tests.journey.skew import SITE_ON_THE_WALL_CLOCK, START, made_site
from tests.serving.serving_builders import CATALOGUE


def test_now_ends_where_facts_came_that_the_base_lacks(tmp_path: Path) -> None:
    """Once a build has taken them in it is the wall clock again, and what comes later arrives later."""
    made = made_site(tmp_path / "site", SITE_ON_THE_WALL_CLOCK, CATALOGUE, seed=1)
    made.build()

    def now() -> Micros:
        return clock_of_base(made.site, open_history(made.state), state=made.state, wall=START + HOUR)

    without_log = now()
    engine = open_database(made.site, made.state)
    log = Log(engine)
    first, second = (NewVersion(name, None, "sem", None, None, {}, ()) for name in ("first", "second"))
    arrived_at = log.append([first], now=lambda: START + MINUTE, base={}).arrived_at
    beside = now()
    made.build()
    built_again = now()
    later = log.append([second], now=lambda: START + MINUTE, base={}).arrived_at
    engine.dispose()

    assert (without_log, beside, built_again) == (START + HOUR, arrived_at - 1, START + HOUR)
    assert later > built_again
