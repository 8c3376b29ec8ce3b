"""The record of decisions survives a write that ends half way."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadlight.registry.terms import Term, note, terms, terms_file

FIRST = Term(1, "wang", "promote", 1, "a" * 64)


def test_a_decision_is_noted_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fills up while the second is written leaves the first; once there is room the second is added."""
    second = Term(2, "王" * 50, "promote", 2, "b" * 64)
    note(tmp_path, "buys", FIRST)

    def full(path: Path, text: str, encoding: str) -> int:
        path.write_bytes(text.encode(encoding)[:-9])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(Path, "write_text", full)
        with pytest.raises(OSError, match="No space left"):
            note(tmp_path, "buys", second)
    assert terms(tmp_path, "buys") == [FIRST]

    note(tmp_path, "buys", second)
    assert terms(tmp_path, "buys") == [FIRST, second]
    assert [path.name for path in terms_file(tmp_path, "buys").parent.iterdir()] == ["buys.terms.jsonl"]
