"""A site's catalogue as one object, read from ``catalogue.toml`` and held against the site."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import cached_property
from typing import Annotated

from pydantic import Field

from features.catalogue.checks import name_faults, reference_faults
from features.catalogue.entries import AnyEntry, Column, Context, Level
from leadlight.settings import Part, Site, SiteError, parse_part, read_toml


class Catalogue(Part):
    """All entries of a site."""

    feature: Annotated[tuple[AnyEntry, ...], Field(min_length=1)]

    @cached_property
    def lead_columns(self) -> tuple[Column, ...]:
        """The columns evaluated over one lead's past, in catalogue order."""
        return tuple(c for e in self.feature if not isinstance(e, Context) for c in e.columns())

    @cached_property
    def context_columns(self) -> tuple[Column, ...]:
        """The columns evaluated over everybody's or a channel's closed days."""
        return tuple(c for e in self.feature if isinstance(e, Context) for c in e.columns())

    @property
    def columns(self) -> tuple[Column, ...]:
        """Every column a model may use, lead columns first."""
        return self.lead_columns + self.context_columns

    @cached_property
    def hash(self) -> str:
        """``digest`` of all columns."""
        return self.digest(column.name for column in self.columns)

    def digest(self, names: Iterable[str]) -> str:
        """SHA-256 of how these columns are computed; words, themes, groups and directions may change without a trace.

        A level is computed from other columns: how these are computed counts too.
        """
        columns = {column.name: column for column in self.columns}
        asked = {name: columns[name].definition for name in names}
        for name in list(asked):
            entry = columns[name].entry
            if isinstance(entry, Level):
                asked |= {used: columns[used].definition for used in entry.uses}
        return hashlib.sha256(json.dumps(sorted(asked.items())).encode()).hexdigest()


def load_catalogue(site: Site) -> Catalogue:
    """Read and check ``catalogue.toml`` against the site's kinds and labels; all faults in one ``SiteError``."""
    path = site.folder / "catalogue.toml"
    catalogue = parse_part(Catalogue, read_toml(path), path.name)
    faults = [
        f"{path.name}: {fault}"
        for fault in (*name_faults(catalogue.columns), *reference_faults(catalogue.feature, site))
    ]
    if faults:
        raise SiteError(faults)
    return catalogue


def target_columns(catalogue: Catalogue, exclude: tuple[str, ...]) -> tuple[Column, ...]:
    """The columns a target's model uses: all but the entries or columns it names in ``exclude``."""
    return tuple(c for c in catalogue.columns if c.name not in exclude and c.entry.name not in exclude)
