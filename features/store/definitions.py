"""Feast's objects for one site: two entities, two views, and a feature service per target and catalogue."""

from __future__ import annotations

import features.store.unchecked  # isort: skip  # noqa: F401  # before Feast

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast.feast_object import FeastObject
from feast.types import FeastType, Float64, Int64, String

from features.catalogue import Catalogue, Column, Context, target_columns
from features.store import context_table, lead_table
from leadlight.schema import (
    AS_OF,
    CHANNEL,
    CLOSED_AT,
    CONTEXT_KEY,
    LEAD_ID,
    ROW_AS_OF,
    ROW_CLOSED_AT,
    VALID_UNTIL,
)
from leadlight.settings import Site, SiteError

LEAD: Final = Entity(name="lead", join_keys=[LEAD_ID], value_type=ValueType.STRING)
CONTEXT: Final = Entity(name="context", join_keys=[CONTEXT_KEY], value_type=ValueType.STRING)

EVERYBODY_COLUMN: Final = "everybody"
JOIN_COLUMNS: Final = {"all": EVERYBODY_COLUMN, "channel": CHANNEL}
"""The column that finds a lead's context row of each scope: one constant key, or the lead's channel."""

_LOOKS_BACK: Final = {LEAD.name: dt.timedelta(microseconds=1), CONTEXT.name: dt.timedelta(days=1)}
"""How old a row Feast's join may find: a lead's is of that very moment, a key has one for every day.

Without this bound the join would sort every pair of a moment and an older row: for context, all days before it.
"""

CATALOGUE_TAG: Final = "catalogue"
"""The tag of a view that names its catalogue: online rows of two catalogues never meet."""

_FEAST_TYPES: dict[str, FeastType] = {"int": Int64, "float": Float64, "str": String}
_DROPPED_ENDING = "_y"  # Feast's DuckDB store drops every joined column with it: feast/infra/offline_stores/ibis.py


@dataclass(frozen=True)
class Definitions:
    """What Feast knows of a site; ``context`` is missing where the catalogue never looks beyond the lead."""

    lead: FeatureView
    context: FeatureView | None
    services: dict[str, FeatureService]

    def objects(self) -> list[FeastObject]:
        """All of it, for ``FeatureStore.apply``."""
        beyond: list[FeastObject] = [CONTEXT, self.context] if self.context else []
        return [LEAD, self.lead, *beyond, *self.services.values()]


def define(site: Site, catalogue: Catalogue, state: Path) -> Definitions:
    """The Feast objects of ``site`` over the offline tables in ``state``.

    Raises ``SiteError`` if a column has a name that Feast's tables or its join need for themselves.
    """
    _check_names(catalogue)
    tag = catalogue.hash[:8]
    lead_fields = [*_times(ROW_AS_OF, VALID_UNTIL), *_fields(catalogue.lead_columns)]
    context_fields = [*_times(ROW_CLOSED_AT), *_fields(catalogue.context_columns)]
    lead = _view(LEAD, lead_fields, _source(lead_table(state), AS_OF), tag)
    context = _view(CONTEXT, context_fields, _source(context_table(state), CLOSED_AT), tag)
    services = {}
    for name, target in site.targets.items():
        parts = _parts(target_columns(catalogue, target.exclude), lead, context)
        services[name] = FeatureService(name=f"{name}_{tag}", features=[*parts])
    return Definitions(lead, context if catalogue.context_columns else None, services)


def _check_names(catalogue: Catalogue) -> None:
    dropped = [column.name for column in catalogue.columns if column.name.endswith(_DROPPED_ENDING)]
    if dropped:
        raise SiteError(
            [
                f"catalogue.toml: a feature column may not end in {_DROPPED_ENDING!r}, as {name!r} does:"
                " name its entry differently"
                for name in dropped
            ]
        )


def _times(*names: str) -> list[Field]:
    return [Field(name=name, dtype=Int64) for name in names]


def _fields(columns: Sequence[Column]) -> list[Field]:
    return [Field(name=column.name, dtype=_FEAST_TYPES[column.type]) for column in columns]


def _source(table: Path, timestamp: str) -> FileSource:
    return FileSource(name=table.stem, path=str(table), timestamp_field=timestamp)


def _view(entity: Entity, fields: list[Field], source: FileSource, tag: str) -> FeatureView:
    return FeatureView(
        name=entity.name,
        entities=[entity],
        schema=[Field(name=entity.join_key, dtype=String), *fields],  # the key too, or Feast reads the file to infer it
        source=source,
        ttl=_LOOKS_BACK[entity.name],  # its online read ignores it: how old such a row may be is ours to judge
        tags={CATALOGUE_TAG: tag},
    )


def _parts(columns: Sequence[Column], lead: FeatureView, context: FeatureView) -> list[FeatureView]:
    """The views of a service: the lead's own columns, and the context view once for each scope that is asked for."""
    own = [column.name for column in columns if not isinstance(column.entry, Context)]
    parts = [lead[[ROW_AS_OF, VALID_UNTIL, *own]]]
    for scope, join_column in JOIN_COLUMNS.items():
        names = [c.name for c in columns if isinstance(c.entry, Context) and c.entry.scope == scope]
        if names:
            alias = context.with_name(f"{CONTEXT.name}_{scope}").with_join_key_map({CONTEXT_KEY: join_column})
            parts.append(alias[[ROW_CLOSED_AT, *names]])
    return parts
