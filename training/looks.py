"""How often a test window has been looked at: an append-only list of the candidates judged on it."""

from __future__ import annotations

from pathlib import Path


def look(state: Path, target_name: str, *, window: str, bundle_sha256: str) -> int:
    """Note that this bundle is judged on this test window; its place, from 1, among all judged there.

    The same bundle keeps its place, however often it is judged: so the same training gives the same verdict.
    """
    path = state / "looks" / f"{target_name}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    line = f"{window} {bundle_sha256}\n"
    if line not in _lines(path):
        with path.open("a", encoding="ascii") as file:
            file.write(line)
    judged_here = dict.fromkeys(seen for seen in _lines(path) if seen.startswith(f"{window} "))
    return list(judged_here).index(line) + 1


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="ascii").splitlines(keepends=True) if path.exists() else []
