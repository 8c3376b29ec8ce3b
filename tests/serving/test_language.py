"""The language of an answer."""

import pytest

from serving.language import preferred


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("zh", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("fr, zh;q=0.2, en;q=0.1", "zh"),
        ("zh;q=0, en;q=0.1", "en"),
        ("zh;q=nonsense", "en"),
        ("fr,*;q=0.5", "en"),
    ],
)
def test_the_language_wanted_most_is_spoken_and_english_otherwise(header: str | None, language: str) -> None:
    """A header's qualities decide between zh and en; whatever names neither gets English."""
    assert preferred(header) == language
