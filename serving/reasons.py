"""A score's reasons: each group's share in log-odds and in points of probability, with the lead's value in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from features.catalogue import Attribute, Column, EventValue, Level, Preference, ShareOf
from features.history import Value
from leadlight.schema import CHANNEL
from leadlight.settings import Site
from serving.language import Language
from serving.schemas import FeatureShare, Reason
from serving.words import channel_words, label_words, percent, say

_FLAT = 1e-9


@dataclass(frozen=True)
class Share:
    """What one column added to a lead's score in log-odds, and the value it was read from."""

    column: Column
    value: Value
    points: float


def reasons(shares: Sequence[Share], *, base: float, raw: float, site: Site, language: Language) -> tuple[Reason, ...]:
    """The groups of ``shares``, the strongest first; a column that added nothing was not used and is not named."""
    per_point = 100.0 * slope(base, raw)
    groups: dict[str, list[Share]] = {}
    for share in shares:
        if share.points != 0.0:
            groups.setdefault(share.column.group, []).append(share)
    found = [_reason(group, members, per_point, site, language) for group, members in groups.items()]
    return tuple(sorted(found, key=lambda reason: (-abs(reason.points), reason.group)))


def slope(base: float, raw: float) -> float:
    """Probability gained per log-odds on the way from ``base`` to ``raw``.

    The mean slope of the sigmoid along that way (integrated gradients: Sundararajan, Taly and Yan, ICML 2017), so the
    shares of all columns sum to the whole difference; at no distance it is the slope itself.
    """
    start, end = to_probability(base), to_probability(raw)
    return start * (1.0 - start) if abs(raw - base) < _FLAT else (end - start) / (raw - base)


def to_probability(margin: float) -> float:
    """The probability of a margin."""
    shrunk = math.exp(-abs(margin))
    return (1.0 if margin >= 0 else shrunk) / (1.0 + shrunk)


def phrase(column: Column, value: Value, site: Site, language: Language) -> str:
    """A feature and its value in words."""
    return say("phrase", language, what=column.wording(language), value=value_words(column, value, site, language))


def value_words(column: Column, value: Value, site: Site, language: Language) -> str:
    """A value in words: what is not known of a person is unknown, what has not happened is none yet."""
    entry = column.entry
    if value is None:
        return say("unknown" if isinstance(entry, Attribute | Level) else "none_yet", language)
    if isinstance(value, str):
        is_channel = isinstance(entry, Attribute) and entry.column == CHANNEL
        label = entry.of if isinstance(entry, EventValue | Preference) else ""
        return channel_words(site, value, language) if is_channel else label_words(label, value, language)
    if isinstance(entry, ShareOf):
        return percent(value, language, 0)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}".rstrip("0").rstrip(".")


def _reason(group: str, members: Sequence[Share], per_point: float, site: Site, language: Language) -> Reason:
    points = math.fsum(share.points for share in members)
    ordered = sorted(members, key=lambda share: (-abs(share.points), share.column.name))
    features = tuple(_feature(share, site, language) for share in ordered)
    leading = next((feature for feature in features if (feature.points > 0) == (points > 0)), features[0])
    return Reason(
        group=group,
        words=leading.words,
        direction="up" if points >= 0 else "down",
        points=points,
        percentage_points=points * per_point,
        features=features,
    )


def _feature(share: Share, site: Site, language: Language) -> FeatureShare:
    words = phrase(share.column, share.value, site, language)
    return FeatureShare(name=share.column.name, words=words, value=share.value, points=share.points)
