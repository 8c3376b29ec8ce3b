"""docs/sites.md is true where it shows other questions: its targets are settings that a site can have."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from leadlight.schema import DAY
from leadlight.settings import Target
from tests.builders import site

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "sites.md").read_text(encoding="utf-8")
OTHERS = re.compile(r"### Other questions.*?```toml\n(.*?)```", re.DOTALL)


def test_the_other_questions_are_targets() -> None:
    """Each is checked as a site's own; an outcome that may come again, or breaks the quiet, ends nothing for good."""
    (text,) = OTHERS.findall(PAGE)
    targets = tomllib.loads(text)["targets"]
    kinds = ("order", "full_course", "renewal", "view_price", "book_trial", "friend_joined")

    asked = site(kinds={name: {} for name in kinds}, targets=targets).targets

    lacks = {name: target.lacks for name, target in asked.items()}
    assert lacks == {"renewal": ("renewal",), "recall": ("order",), "referral": ()}
    assert _quiet_for(asked["recall"]) == 90 * DAY
    assert min(asked["recall"].observe.offsets) > 90 * DAY


def _quiet_for(target: Target) -> int:
    assert target.population.quiet is not None
    return target.population.quiet.length
