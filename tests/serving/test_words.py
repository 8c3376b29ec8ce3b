"""The catalogue of words."""

import re
import tomllib
from pathlib import Path

import pytest

import serving
from serving.words import percent

ROOT = Path(serving.__file__).parent
WORDS = tomllib.loads((ROOT / "words.toml").read_text(encoding="utf-8"))


def test_both_languages_say_everything_with_the_same_names() -> None:
    """Every entry has zh and en, and each fills in the same {names}, except where one language leaves one out."""
    names = {key: [set(re.findall(r"{(\w+)}", entry[each])) for each in ("zh", "en")] for key, entry in WORDS.items()}

    assert all(set(entry) == {"zh", "en"} for entry in WORDS.values())
    assert [key for key, (zh, en) in names.items() if zh != en] == []


def test_every_word_is_said_somewhere() -> None:
    """No entry of the catalogue is left over."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in [*ROOT.rglob("*.py"), *ROOT.rglob("*.html")])
    themes = {"value", "life_cycle", "behaviour", "channel_profile"}

    unused = [key for key in WORDS if not key.startswith(("status_", "rung_")) and f'"{key}"' not in code]

    assert set(unused) <= themes


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.0, "0 %"), (0.0042, "0.42 %"), (0.034, "3.4 %"), (0.1, "10 %"), (0.617, "62 %"), (1.0, "100 %")],
)
def test_percentages_have_two_digits(share: float, words: str) -> None:
    """Small shares keep the digits that tell them apart."""
    assert percent(share, "en") == words
    assert percent(share, "zh") == words.replace(" ", "")
