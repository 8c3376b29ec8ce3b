"""Who is drawn into the exploration share: the same all day, at random over leads, with the logged probability."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.schema import DAY, HOUR
from leadlight.settings import Explore, Site, SiteError
from leadlight.shelf import keys_folder
from serving.exploration import KEY, Exploration, open_exploration
from tests.builders import moment, site

TARGET = "first_order"
NOON = moment("2025-10-20 12:00", 8 * HOUR)
LEADS = [f"lead-{number}" for number in range(20_000)]


def exploring(share: float, *, key: bytes = b"a key", offset: int = 8 * HOUR) -> Exploration:
    return Exploration({TARGET: share}, key, offset)


def drawn(by: Exploration, leads: list[str], as_of: int = NOON, target: str = TARGET) -> list[bool]:
    return [by.draws(target, lead_id, as_of, flagged=False) for lead_id in leads]


def of_share(share: float) -> Site:
    """A site whose first target explores so much."""
    made = site()
    name, target = made.target()
    changed = target.model_copy(update={"explore": Explore(share=share)})
    return made.model_copy(update={"targets": {**made.targets, name: changed}})


def test_the_share_is_drawn_and_each_draw_knows_nothing_of_another() -> None:
    """Over leads, days, targets and keys: how many are drawn, and how many are drawn twice, is as chance has it."""
    by = Exploration({TARGET: 0.1, "second_order": 0.1}, b"a key", 8 * HOUR)
    first = np.array(drawn(by, LEADS))
    others = [
        drawn(by, LEADS, NOON + DAY),
        drawn(by, LEADS, target="second_order"),
        drawn(exploring(0.1, key=b"another key"), LEADS),
    ]

    within = 4 * np.sqrt(0.1 * 0.9 / len(LEADS))
    assert first.mean() == pytest.approx(0.1, abs=within)
    for other in map(np.array, others):
        assert other.mean() == pytest.approx(0.1, abs=within)
        assert (first & other).mean() == pytest.approx(0.01, abs=4 * np.sqrt(0.01 * 0.99 / len(LEADS)))


def test_a_lead_stays_what_it_is_until_the_sites_midnight() -> None:
    """The day is the site's, not UTC's."""
    by, leads = exploring(0.5), LEADS[:200]
    midnight = moment("2025-10-21 00:00", 8 * HOUR)

    assert drawn(by, leads, midnight - DAY) == drawn(by, leads, NOON) == drawn(by, leads, midnight - 1)
    assert drawn(by, leads, midnight) != drawn(by, leads, midnight - 1)


def test_a_flagged_lead_is_never_drawn_and_has_no_probability_of_it() -> None:
    """It goes to sales anyway; nor is anybody drawn where the site explores nothing."""
    by, nobody = exploring(0.9), exploring(0.0)

    assert not any(by.draws(TARGET, lead_id, NOON, flagged=True) for lead_id in LEADS[:100])
    assert (by.probability(TARGET, flagged=True), by.probability(TARGET, flagged=False)) == (None, 0.9)
    assert not any(drawn(nobody, LEADS[:100]))
    assert nobody.probability(TARGET, flagged=False) is None
    assert by.probability("second_order", flagged=False) is None


def test_a_larger_share_holds_the_smaller_one() -> None:
    """Whoever raises the share during a day takes no lead back from sales."""
    small, large = (np.array(drawn(exploring(share), LEADS[:2_000])) for share in (0.05, 0.2))

    assert small.any()
    assert not (small & ~large).any()


@settings(max_examples=8)
@given(share=st.sampled_from([0.05, 0.2, 0.5]), rate=st.floats(0.02, 0.4), key=st.binary(min_size=8, max_size=8))
def test_weighing_by_the_logged_probability_estimates_what_nobody_was_called_for(
    share: float, rate: float, key: bytes
) -> None:
    """Outcomes are seen only of leads that were worked; weighed by 1/probability they tell of all, without bias.

    Over many days the mean of the estimates is the truth within its own standard error, four times over; counting the
    worked leads alone is far from it, for the model flags the likely ones.
    """
    by, rng, days, leads = exploring(share, key=key), np.random.default_rng(7), 30, LEADS[:200]
    p = np.clip(rng.beta(1.0, 1.0 / rate - 1.0, len(leads)), 0.0, 1.0)
    flagged = p >= np.quantile(p, 0.9)
    estimates, naive, truths = [], [], []
    for day in range(days):
        won = rng.random(len(leads)) < p
        logged = [by.probability(TARGET, flagged=bool(flag)) for flag in flagged]
        weights = 1.0 / np.array([1.0 if probability is None else probability for probability in logged])
        moment_of_day = NOON + day * DAY
        explored = [
            by.draws(TARGET, lead_id, moment_of_day, flagged=bool(flag))
            for lead_id, flag in zip(leads, flagged, strict=True)
        ]
        worked = flagged | np.array(explored)
        estimates.append(float((won * worked * weights).sum() / len(leads)))
        naive.append(float(won[worked].mean()))
        truths.append(float(won.mean()))

    errors = np.array(estimates) - np.array(truths)
    assert abs(errors.mean()) < 4 * errors.std(ddof=1) / np.sqrt(days) + 1e-12
    assert np.mean(naive) - np.mean(truths) > abs(errors.mean())


def test_the_key_is_drawn_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    """A site that explores nothing has none; a broken file is told."""
    assert open_exploration(site(), tmp_path).shares == {}
    assert not keys_folder(tmp_path).exists()

    first, second = (open_exploration(of_share(0.02), tmp_path) for _ in range(2))
    other = open_exploration(of_share(0.02), tmp_path / "elsewhere")

    file = keys_folder(tmp_path) / KEY
    assert first == second
    assert (len(first.key), first.key != other.key) == (32, True)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == [KEY]
    file.write_text("short", encoding="ascii")
    with pytest.raises(SiteError, match=r"exploration\.key holds no 32 bytes"):
        open_exploration(of_share(0.02), tmp_path)


@pytest.mark.parametrize("share", [-0.1, 1.0, 2])
def test_a_share_is_at_least_nothing_and_less_than_all(share: float) -> None:
    """What is not is a fault of leadlight.toml."""
    with pytest.raises(ValueError, match="share"):
        Explore(share=share)
