"""The list of candidates that were judged on a test window."""

from __future__ import annotations

from pathlib import Path

from training.looks import look


def test_candidates_are_counted_by_window_and_only_once(tmp_path: Path) -> None:
    """Each new bundle on a window has the next place; the same bundle keeps its own; windows and targets are apart."""
    asked = [("w1", "a"), ("w1", "b"), ("w2", "b"), ("w1", "a"), ("w1", "c"), ("w2", "b")]

    places = [look(tmp_path, "sale", window=window, bundle_sha256=bundle) for window, bundle in asked]

    assert places == [1, 2, 1, 1, 3, 1]
    assert look(tmp_path, "other", window="w1", bundle_sha256="z") == 1
