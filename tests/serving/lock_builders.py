"""Sites with locks, and versions that set one."""

from __future__ import annotations

from collections.abc import Mapping

from features.history import Version
from leadlight.schema import DAY, Micros
from leadlight.settings import Site
from leadlight.settings.target import Population
from tests.builders import site

T = 1_000 * DAY
TARGET = {
    "outcome": ["order"],
    "horizon": "30d",
    "observe": {"offsets": ["7d"]},
    "gate": {"precision": 0.3, "recall": 0.2},
}
KINDS = {
    "order": {},
    "payment": {},
    "complaint": {"labels": ["by", "about"]},
    "settled": {},
    "claim": {"labels": ["by"]},
}
WORDS = {"zh": "已投诉", "en": "complained"}


def locked_site(**rules: Mapping[str, object]) -> Site:
    """A site with these locks; its second target is about leads that have ordered and not yet paid."""
    renewal = {**TARGET, "outcome": ["payment"], "population": {"has": ["order"]}}
    worded = {name: {**WORDS, **rule} for name, rule in rules.items()}
    return site(kinds=KINDS, targets={"first_order": TARGET, "renewal": renewal}, locks=worded)


def with_quiet(site: Site) -> Site:
    """The same site, whose first target is about leads without a claim for two days."""
    first = site.targets["first_order"]
    quiet = Population.model_validate({"quiet": {"kinds": ["claim"], "for": "2d"}})
    return site.model_copy(
        update={"targets": {**site.targets, "first_order": first.model_copy(update={"population": quiet})}}
    )


def says(at: Micros, value: str | float | None, *, arrived_at: Micros | None = None, **more: str) -> Version:
    """A version in which the lead's city is ``value``."""
    return Version(at, at if arrived_at is None else arrived_at, {"channel": "sem", "city": value, **more})
