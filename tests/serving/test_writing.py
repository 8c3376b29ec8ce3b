"""Time is told in one order, even where the clock stands still or goes back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from serving.writing import Times

steps = st.lists(st.tuples(st.sampled_from(["ask", "ask of the newest lead", "arrive"]), st.integers(0, 5)))


@given(steps)
def test_nothing_arrives_at_a_moment_that_was_answered(steps: list[tuple[str, int]]) -> None:
    """A lead that has just arrived is asked about one moment later; what comes then arrives later still."""
    times, answered, newest = Times(), -1, -1

    for act, now in steps:
        if act == "arrive":
            arrived_at = times.arrive(now)
            assert arrived_at > answered
            newest = arrived_at
            assert times.asked(now) < arrived_at
            times.arrived()
        else:
            moment = times.asked(now)
            answered = max(answered, moment, newest + 1 if act != "ask" else -1)
