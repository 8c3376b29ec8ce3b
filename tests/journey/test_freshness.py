"""An event that was accepted counts in the next answer, while two hundred a second come in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journey.freshness import fresh_site, measure


@pytest.mark.proof
def test_an_event_counts_within_a_second(tmp_path: Path) -> None:
    """99 of 100 watched events are seen by a score within a second of being sent."""
    with fresh_site(tmp_path) as address:
        found = measure(address, rate=200, seconds=10)

    assert found.sent == 2_000
    assert found.quantile(0.99) < 1_000, found.row()
