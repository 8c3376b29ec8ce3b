"""What the server says to people, in zh and en: one catalogue of words, and how numbers and moments are written."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from leadlight.schema import DAY, HOUR, Micros, from_micros
from leadlight.settings import Site
from serving.language import Language

STATUS = "status"
"""The label that holds the follow-up status of a lead, where a site has one."""
_LEAST = (0.1, 0.01)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def say(key: str, language: Language, **names: object) -> str:
    """The words of ``key`` in ``language``, its {names} filled in."""
    return _catalogue()[key][language].format(**names)


@cache
def _catalogue() -> dict[str, dict[str, str]]:
    return tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))


def kind_words(site: Site, kind: str, language: Language) -> str:
    """A kind of event as the site words it, else its name."""
    declared = site.kinds[kind]
    return (declared.zh if language == "zh" else declared.en) or kind


def channel_words(site: Site, channel: str, language: Language) -> str:
    """A channel as the site words it, else its name."""
    declared = site.channels.get(channel)
    return channel if declared is None else (declared.zh if language == "zh" else declared.en)


def label_words(label: str, value: str, language: Language) -> str:
    """A label's value: the follow-up statuses every CRM knows have words, all else is shown as it came."""
    key = f"status_{value}"
    return say(key, language) if label == STATUS and key in _catalogue() else value


def target_words(site: Site, name: str, language: Language) -> str:
    """A target as the site words it, else its name."""
    target = site.targets[name]
    return (target.zh if language == "zh" else target.en) or name


def percent(share: float, language: Language, decimals: int | None = None) -> str:
    """A share as a percentage: two significant digits below 10 %, whole above."""
    digits = decimals_of(share) if decimals is None else decimals
    return f"{100 * share:.{digits}f}{'%' if language == 'zh' else ' %'}"


def decimals_of(share: float) -> int:
    """How many decimals a percentage of this size is worth."""
    return next((digits for digits, least in enumerate(_LEAST) if share >= least), len(_LEAST)) if share else 0


def date(moment: Micros, site: Site, language: Language) -> str:
    """The local day of ``moment``."""
    local = from_micros(moment + site.offset)
    if language == "zh":
        return f"{local.year}年{local.month}月{local.day}日"
    return f"{local.day} {_MONTHS[local.month - 1]} {local.year}"


def minute(moment: Micros, site: Site, language: Language) -> str:
    """The local day and time of ``moment``."""
    return f"{date(moment, site, language)} {from_micros(moment + site.offset):%H:%M}"


def duration(length: Micros, language: Language) -> str:
    """A length of time in days, or in hours if it is no whole number of days."""
    if length % DAY:
        return say("hours", language, count=f"{length / HOUR:g}")
    return say("days", language, count=length // DAY)


def day_and_time(moment: Micros, site: Site, language: Language, *, now: Micros) -> str:
    """Weekday, day and time of ``moment``; the year too if it is not this year's."""
    local = from_micros(moment + site.offset)
    weekday = say("weekdays", language).split()[local.weekday()]
    past = local.year != from_micros(now + site.offset).year
    if language == "zh":
        return f"{f'{local.year}年' if past else ''}{local.month}月{local.day}日 {weekday} {local:%H:%M}"
    return f"{weekday} {local.day} {_MONTHS[local.month - 1]}{f' {local.year}' if past else ''}, {local:%H:%M}"
