"""Facts at the door, whoever brings them."""

from __future__ import annotations

import pytest

from features.arrivals import Admission
from leadlight.settings import Channel
from tests.builders import site


@pytest.mark.parametrize(
    ("declared", "name", "allowed"),
    [
        ([], "a new platform", None),
        ([], "not_recorded", None),
        ([], " ", "the name of a channel"),
        ([], "all", "the name of a channel, not all"),
        (["sem", "app"], "sem", None),
        (["sem", "app"], "a new platform", "one of: app, sem"),
        (["sem", "app"], "seo", "one of: app, sem; did you mean sem?"),
    ],
)
def test_a_channel_is_one_of_those_declared_or_else_any(declared: list[str], name: str, allowed: str | None) -> None:
    """Where a site declares none, a platform that is new to it stops no score; a blank and the word for all do."""
    channels = {each: Channel(zh=each, en=each, family="paid") for each in declared}
    admission = Admission(site().model_copy(update={"channels": channels}), {}, latest=0)

    wrong = [each.allowed for each in admission.channel(name)]

    assert len(wrong) == (allowed is not None)
    assert allowed is None or wrong[0].startswith(allowed)
