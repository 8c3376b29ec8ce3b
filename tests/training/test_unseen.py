"""Which test rows may judge a model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from leadlight.model.manifest import Manifest, Origin
from leadlight.schema import DAY, FOREVER
from tests import builders
from training.dataset import TEST, Dataset
from training.unseen import unseen

TARGET = builders.site().targets["first_order"]
KNOWN = TARGET.horizon + TARGET.outcome_delay
START = 20_000 * DAY
DAYS = 400
TRAINED = Origin("first_order", "q", "c" * 64, "d" * 64, 1, 100, 20, trained_until=START - KNOWN)


def a_test(every: int = 3) -> Dataset:
    """A lead each day from the moment on at which all that was learned was known; each so many-th converted."""
    days = np.arange(DAYS)
    named = np.array([f"lead-{day}" for day in days], dtype=object)
    return Dataset(
        columns=(),
        lead_id=named,
        as_of=START + days * DAY,
        channel=named,
        X=pd.DataFrame({"day": days.astype(np.float64)}),
        y=(days % every == 0).astype(np.int8),
        split=np.full(DAYS, TEST, dtype=object),
    )


def test_a_test_after_training_counts_as_a_whole() -> None:
    """From the very moment on at which the last outcome learned from was known, and nothing need be said."""
    found = unseen(a_test(), TARGET, [TRAINED], who="version 1")

    assert found.places.all()
    assert (found.missing, found.notes) == (0, ())


def test_rows_that_a_model_learned_from_or_was_moved_by_do_not_count() -> None:
    """Whichever of two models saw them, and how; nor do those whose outcome was still open then."""
    later = replace(TRAINED, trained_until=START + 10 * DAY)
    moved = TRAINED.moved("p" * 64, until=START + 50 * DAY)

    by_date = unseen(a_test(), TARGET, [TRAINED, later], who="one of the versions")
    by_move = unseen(a_test(), TARGET, [moved, later], who="one of the versions")

    assert by_date.rows.as_of[0] == START + 10 * DAY + KNOWN
    assert by_move.rows.as_of[0] == START + 50 * DAY + KNOWN
    (note,) = by_move.notes
    assert note.startswith(f"{50 + KNOWN // DAY} of {DAYS} test rows do not count: one of the versions learned from")
    assert note.endswith("or was moved by some, known by 2024-12-23T00:00+00:00")


def test_too_few_rows_left_are_said_to_be_too_few() -> None:
    """Under 40 leads of either outcome."""
    moved = TRAINED.moved("p" * 64, until=START + 300 * DAY)

    found = unseen(a_test(), TARGET, [moved], who="the champion")

    assert found.missing == 40 - found.rows.outcomes[0] > 0
    assert found.notes[-1].endswith("are too few to judge by: 40 of either are needed")


def test_what_moved_a_parent_counts_for_its_children() -> None:
    """The newest of all moves counts; an older manifest without one still loads, and no row counts: nobody knows."""
    child = TRAINED.moved("p" * 64, until=START + 50 * DAY)
    grandchild = child.moved("c" * 64, until=START + 20 * DAY)
    written = Manifest(TRAINED, ("day",), 0, {}), Manifest(replace(TRAINED, parent="p" * 64), ("day",), 0, {})
    trained, moved_once = (Manifest.from_bytes(each.to_bytes()).origin for each in written)

    assert grandchild.seen_until == child.seen_until == START + 50 * DAY
    assert grandchild.parent == "c" * 64
    assert grandchild.fitted == TRAINED
    assert trained.seen_until == TRAINED.trained_until
    assert moved_once.seen_until == FOREVER
    assert not unseen(a_test(), TARGET, [moved_once], who="version 2").places.any()
