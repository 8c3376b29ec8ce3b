"""The reasons as a chart: how the usual lead's probability becomes this lead's, in points that add up as shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from serving.language import Language
from serving.schemas import Reason, Score
from serving.words import decimals_of, percent, say

BARS = 8
EACH_WAY = 2
"""The strongest reasons have a bar, and of the few in the other direction these at least."""


@dataclass(frozen=True)
class Bar:
    """A reason: its words, its points as shown and its length in percent of the longest."""

    words: str
    direction: str
    points: str
    width: str


@dataclass(frozen=True)
class Why:
    """The chart from top to bottom, and the same in one sentence."""

    base: str
    bars: tuple[Bar, ...]
    rest: Bar | None
    probability: str
    twin: str


def why_of(score: Score, language: Language) -> Why | None:
    """The strongest reasons for, then against, then all others in one line; ``None`` for a lead without a score."""
    if score.probability is None or score.base_probability is None:
        return None
    digits = decimals_of(max(score.probability, score.base_probability))
    chosen, rest = _chosen(score.reasons, digits)
    start, *points = _rounded(
        [100 * score.base_probability, *(each.percentage_points for each in chosen), sum(rest)], digits
    )
    others = Bar(say("rest", language, count=len(rest)), "rest", signed(points[-1], digits), "0") if rest else None
    return Why(
        base=percent(start / 100, language, digits),
        bars=tuple(_bars(chosen, points, digits)),
        rest=others,
        probability=percent(score.probability, language, digits),
        twin=_twin(score, score.probability, score.base_probability, digits, language),
    )


def _bars(chosen: Sequence[Reason], points: Sequence[float], digits: int) -> Iterator[Bar]:
    longest = max((abs(reason.percentage_points) for reason in chosen), default=1.0)
    for reason, shown in zip(chosen, points, strict=False):  # the last of points is that of all others
        width = 100 * abs(reason.percentage_points) / longest
        yield Bar(reason.words, reason.direction, signed(shown, digits), f"{width:.1f}")


def signed(value: float, digits: int) -> str:
    """A number with its sign, a true minus, and no sign if nothing is left of it."""
    text = f"{value:+.{digits}f}"
    return (text[1:] if float(text) == 0 else text).replace("-", "−")


def _chosen(reasons: Sequence[Reason], digits: int) -> tuple[list[Reason], list[float]]:
    """The reasons worth a bar, and the points of all others."""
    worth = [reason for reason in reasons if abs(reason.percentage_points) >= 0.5 * 10**-digits]
    up = [reason for reason in worth if reason.direction == "up"]
    down = [reason for reason in worth if reason.direction == "down"]
    surest = [*up[:EACH_WAY], *down[:EACH_WAY]]
    others = [reason for reason in worth if reason not in surest]
    barred = [*surest, *others[: BARS - len(surest)]]
    chosen = [reason for reason in (*up, *down) if reason in barred]
    return chosen, [reason.percentage_points for reason in reasons if reason not in chosen]


def _rounded(parts: Sequence[float], digits: int) -> list[float]:
    """Parts rounded so that what is shown adds up: each is the step between the rounded sums before and after it."""
    sums = [0.0, *(round(total, digits) for total in accumulate(parts))]
    return [after - before for before, after in pairwise(sums)]


def _twin(score: Score, probability: float, base: float, digits: int, language: Language) -> str:
    up = sum(reason.percentage_points for reason in score.reasons if reason.direction == "up")
    down = sum(reason.percentage_points for reason in score.reasons if reason.direction == "down")
    _, more, less = _rounded([100 * base, up, down], digits)
    return say(
        "twin",
        language,
        base=percent(base, language, digits),
        up=f"{more:.{digits}f}",
        down=f"{abs(less):.{digits}f}",
        probability=percent(probability, language, digits),
    )
