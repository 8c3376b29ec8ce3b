"""docs/features.md is what its generator makes of the catalogue's code and the examples."""

from __future__ import annotations

from docs.make_features import DOCS, page


def test_the_page_is_what_the_generator_makes() -> None:
    """Whoever changes a kind, an example or the prose runs ``make docs``."""
    written = (DOCS / "features.md").read_text(encoding="utf-8")

    assert written == page(), "run `make docs`"


def test_every_part_of_the_template_is_filled_in() -> None:
    """No mark is left over, and every kind has its section."""
    text = page()

    assert "{{" not in text
    for kind in ("attribute", "age", "count", "distinct", "top", "share", "level", "context"):
        assert f"\n### `{kind}`\n" in text
