"""A lead's tags: its features in words, by name or by theme, and what is still unknown of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from features import context
from features.catalogue import Attribute, Column, Context, Theme
from features.naming import named
from features.rows import newest_closed_day
from leadlight.schema import CHANNEL, FOREVER, NOT_RECORDED, VALID_UNTIL, Micros, from_micros
from serving.champion import Champion
from serving.desk import Desk
from serving.intake import Question
from serving.language import Language
from serving.problems import Fault, Problem, shown
from serving.reasons import value_words
from serving.schemas_tags import Completeness, ProfileAnswer, Tag, TagsAnswer
from serving.telling import most_telling
from serving.vectors import Vector, vectors


def asked_columns(desk: Desk, names: str | None) -> tuple[Column, ...]:
    """The columns that ``names``, parted by commas, mean; all without names. A 422 tells every unknown one."""
    if names is None:
        return desk.catalogue.columns
    found, unknown = named(desk.catalogue.columns, [name.strip() for name in names.split(",")])
    if unknown:
        faults = [Fault("#/names", shown(name), _allowed(near)) for name, near in unknown.items()]
        raise Problem(422, "Some of the names are no features of this site. Correct what errors lists.", faults)
    return found


def tags_of(desk: Desk, question: Question, columns: Iterable[Column], language: Language) -> TagsAnswer:
    """``columns`` of the lead that ``question`` asks about."""
    (vector,) = vectors(desk, [question])
    tags = _tags(desk, question, vector, columns, language)
    return TagsAnswer(question.lead_id, from_micros(question.as_of), tags)


def profile_of(desk: Desk, question: Question, champion: Champion | None, language: Language) -> ProfileAnswer:
    """All that is known of a lead, by theme; without a champion nobody can say which missing fact tells most."""
    (vector,) = vectors(desk, [question])

    def themed(theme: Theme) -> tuple[Tag, ...]:
        columns = [column for column in desk.catalogue.columns if column.entry.theme == theme]
        return _tags(desk, question, vector, columns, language)

    return ProfileAnswer(
        lead_id=question.lead_id,
        as_of=from_micros(question.as_of),
        value=themed("value"),
        life_cycle=themed("life_cycle"),
        behaviour=themed("behaviour"),
        channel_profile=themed("channel_profile"),
        completeness=_completeness(desk, vector, champion, language),
    )


def _tags(
    desk: Desk, question: Question, vector: Vector, columns: Iterable[Column], language: Language
) -> tuple[Tag, ...]:
    as_of = from_micros(question.as_of)
    own = cast("Micros", vector.values[VALID_UNTIL])
    closing = context.closing(desk.site, newest_closed_day(desk.site, question.as_of) + 1)
    found = []
    for column in columns:
        value = vector.values[column.name]
        until = closing if isinstance(column.entry, Context) else own
        words = value_words(column, value, desk.site, language)
        end = None if until == FOREVER else from_micros(until)
        found.append(Tag(column.name, column.wording(language), value, words, as_of, end))
    return tuple(found)


def _completeness(desk: Desk, vector: Vector, champion: Champion | None, language: Language) -> Completeness:
    attributes = [column for column in desk.catalogue.lead_columns if isinstance(column.entry, Attribute)]
    missing = [column for column in attributes if not _is_known(column, vector)]
    known = len(attributes) - len(missing)
    return Completeness(
        known=known,
        of=len(attributes),
        share=known / len(attributes) if attributes else None,
        missing=tuple(column.name for column in missing),
        most_telling=most_telling(champion, desk.catalogue, vector.values, missing, language) if champion else None,
    )


def _is_known(column: Column, vector: Vector) -> bool:
    """A channel that was declared as not recorded is as unknown as a missing one."""
    value = vector.values[column.name]
    is_channel = isinstance(column.entry, Attribute) and column.entry.column == CHANNEL
    return value is not None and not (is_channel and value == NOT_RECORDED)


def _allowed(near: Sequence[str]) -> str:
    meant = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"names of entries or columns of catalogue.toml; GET /v1/leads/LEAD_ID/profile shows all{meant}"
