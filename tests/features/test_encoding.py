"""Text files of a data folder as UTF-8."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.encoding import is_gb18030, utf8_folder

CHINESE = "手机号,城市\n15112348109,上海\n"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (CHINESE.encode("gb18030"), True),
        ("金额\n¥99.00\n".encode("gb18030"), True),
        (CHINESE.encode(), False),
        (CHINESE.encode("utf-8-sig"), False),
        (b"city\nParis\n", False),
        ("name\nRenée Noël\nJosé Müller\n".encode("latin-1"), False),
        (CHINESE.encode("gb18030")[:-3] + b"\xff", False),
    ],
)
def test_gb18030_is_told_from_other_texts(tmp_path: Path, content: bytes, *, expected: bool) -> None:
    """UTF-8, plain, Western and broken texts are none; Western ones could be decoded as GB18030 all the same."""
    (tmp_path / "a.csv").write_bytes(content)

    assert is_gb18030(tmp_path / "a.csv") is expected


def test_a_folder_without_such_files_is_itself(tmp_path: Path) -> None:
    """Nothing is copied where nothing has to be."""
    (tmp_path / "a.csv").write_text(CHINESE, encoding="utf-8")

    with utf8_folder(tmp_path) as readable:
        assert readable == tmp_path


def test_copies_are_made_of_such_files_alone_and_pass(tmp_path: Path) -> None:
    """The originals stay as they are, other files are links, subfolders are kept, and nothing is left behind."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.csv").write_text(CHINESE, encoding="gb18030")
    (tmp_path / "b.csv").write_text(CHINESE, encoding="utf-8")

    with utf8_folder(tmp_path) as readable:
        assert (readable / "logs" / "a.csv").read_text(encoding="utf-8") == CHINESE
        assert (readable / "b.csv").is_symlink()
    assert not readable.exists()
    assert (tmp_path / "logs" / "a.csv").read_text(encoding="gb18030") == CHINESE
