"""One answer as the journal keeps it, and the columns it is kept in."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final, Literal

from leadlight.schema import Micros

Source = Literal["http", "bulk"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered about one lead, and all that it can be computed from again.

    ``asked_at`` is when it was answered, ``as_of`` the moment it was asked of, ``features_as_of`` when the feature
    values were evaluated. ``vector`` is a JSON object of column and value, as exact as the values were; a lead that was
    locked has none, and no number. ``locks`` and ``reasons`` are JSON lists. ``flagged``: the model sent the lead to
    sales. ``explore_probability``: with which the lead could be drawn into the exploration share, if it could at all;
    ``explored``: it was drawn. ``inline``: the request brought the lead's facts, the history had no part in it. A
    ``shadow_version`` without probability is a challenger that could not score this lead.
    """

    id: str
    lead_id: str
    target: str
    asked_at: Micros
    as_of: Micros
    features_as_of: Micros
    model_version: str
    bundle_sha256: str
    source: Source
    inline: bool = False
    probability: float | None = None
    raw: float | None = None
    low: float | None = None
    high: float | None = None
    grade: str | None = None
    flagged: bool = False
    vector: str | None = None
    locks: str = "[]"
    reasons: str = "[]"
    degraded: bool = False
    shadow_version: str | None = None
    shadow_bundle_sha256: str | None = None
    shadow_probability: float | None = None
    explore_probability: float | None = None
    explored: bool = False


COLUMNS: Final = tuple(field.name for field in fields(Answer))
"""The columns of the table, in the order of ``Answer``."""
