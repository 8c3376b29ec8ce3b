"""Old answers leave the journal, and no others."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from leadlight.journal import answer, answers, keep, prune_answers
from tests.leadlight.journal.journal_builders import an_answer


@pytest.mark.parametrize("at_once", [1, 2, 3, 100])
def test_what_was_given_before_a_moment_goes(engine: Engine, at_once: int) -> None:
    """However few go in one commit; an answer of that very moment stays, and it can be done again."""
    keep(engine, [an_answer(f"a{at}", asked_at=at) for at in (5, 1, 4, 2, 3, 9)])

    removed = [prune_answers(engine, 4, at_once=at_once) for _ in range(2)]

    assert removed == [3, 0]
    assert answers(engine)["asked_at"].to_pylist() == [4, 5, 9]
    assert answer(engine, "a1") is None


def test_an_empty_journal_has_nothing_to_prune(engine: Engine) -> None:
    """Nor does it fail."""
    assert prune_answers(engine, 10**18) == 0
