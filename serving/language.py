"""Which of the two languages an answer speaks."""

from __future__ import annotations

from typing import Literal, get_args

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
DEFAULT: Language = "en"


def preferred(accept_language: str | None) -> Language:
    """The language an ``Accept-Language`` header wants most (RFC 9110, 12.5.4); English if it names neither."""
    wanted: dict[Language, float] = {}
    for part in (accept_language or "").split(","):
        tag, _, parameter = part.partition(";")
        name = tag.strip().lower().split("-")[0]
        if name in LANGUAGES:
            language: Language = "zh" if name == "zh" else "en"
            wanted[language] = max(wanted.get(language, 0.0), _quality(parameter))
    best = max(wanted, key=lambda language: wanted[language], default=DEFAULT)
    return best if wanted.get(best, 0.0) > 0 else DEFAULT


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
