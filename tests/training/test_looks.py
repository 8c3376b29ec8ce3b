"""The list of candidates that were judged on a test window."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.settings import SiteError
from training.gate import ALPHA, alpha_of
from training.looks import Window, look

MAY = Window(100, 200, "may")
LATE_MAY = Window(150, 250, "late-may")
JULY = Window(300, 400, "july")


def places(state: Path, *asked: tuple[Window, str]) -> list[int]:
    """The places of these looks, one after another."""
    return [look(state, "sale", window=window, bundle_sha256=bundle) for window, bundle in asked]


def test_candidates_are_counted_once(tmp_path: Path) -> None:
    """Each new bundle on a window has the next place; the same bundle keeps its own; targets are apart."""
    found = places(tmp_path, (MAY, "a"), (MAY, "b"), (MAY, "a"), (MAY, "c"), (MAY, "b"))

    assert found == [1, 2, 1, 3, 2]
    assert look(tmp_path, "other", window=MAY, bundle_sha256="z") == 1


def test_windows_that_overlap_count_as_one(tmp_path: Path) -> None:
    """A window moved by one row does not begin a new count, one that shares no moment does."""
    moved = Window(101, 201, "moved-by-one-row")

    found = places(tmp_path, (MAY, "a"), (moved, "b"), (LATE_MAY, "c"), (JULY, "d"), (Window(200, 300, "x"), "e"))

    assert found == [1, 2, 3, 1, 5]


def test_the_same_model_on_a_grown_test_is_a_new_look(tmp_path: Path) -> None:
    """A test that grows until a model passes is no test; on the first rows its place stays what it was."""
    found = places(tmp_path, (MAY, "a"), (LATE_MAY, "a"), (MAY, "a"))

    assert found == [1, 2, 1]


def test_lists_of_earlier_versions_are_read(tmp_path: Path) -> None:
    """A line without times may overlap with any window; its bundle on its rows keeps its place."""
    (tmp_path / "looks").mkdir()
    (tmp_path / "looks" / "sale.txt").write_text("may a\nmay b\nother c\n", encoding="ascii")

    found = places(tmp_path, (MAY, "b"), (JULY, "d"), (MAY, "a"))

    assert found == [2, 4, 1]


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 20), st.sampled_from("abcdefgh")), min_size=1, max_size=40)
)
def test_no_moment_is_tested_at_more_than_five_percent(drawn: list[tuple[int, int, str]]) -> None:
    """However windows are moved, the candidates whose test holds one moment spend less than 5 % together."""
    with tempfile.TemporaryDirectory() as folder:
        spent: dict[tuple[Window, str], float] = {}
        for first, length, bundle in drawn:
            window = Window(first, first + length, f"{first}-{length}")
            place = look(Path(folder), "sale", window=window, bundle_sha256=bundle)
            spent.setdefault((window, bundle), alpha_of(place))
            assert spent[window, bundle] == alpha_of(place)

    for moment in range(52):
        assert sum(alpha for (w, _), alpha in spent.items() if w.first <= moment <= w.last) < ALPHA


def test_looks_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    """Eight at once leave eight lines and eight places."""
    names = [f"bundle-{number}" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda name: look(tmp_path, "sale", window=MAY, bundle_sha256=name), names))

    assert sorted(found) == list(range(1, 9))
    assert places(tmp_path, *((MAY, name) for name in names)) == found


def test_a_damaged_list_is_told(tmp_path: Path) -> None:
    """A line that is no look is named, not passed over: a lost look would loosen the gate."""
    (tmp_path / "looks").mkdir()
    (tmp_path / "looks" / "sale.txt").write_text("may a 100 200\nmay b 100 2o0\n", encoding="ascii")

    with pytest.raises(SiteError, match=r"line 2 of .*sale\.txt is no look"):
        places(tmp_path, (MAY, "c"))
