"""The catalogue: the one list of a site's features, read from ``catalogue.toml``. Knows no data and no evaluator.

Each ``[[feature]]`` is one entry; an entry with ``windows = ["7d", "30d", "all"]`` fans out to one column a window,
named ``NAME_7d``, ``NAME_30d``, ``NAME_all``; without windows it looks at the whole past and its column is ``NAME``.
Wordings are noun phrases in which ``{window}`` stands for the window ("course pages seen in {window}").

``entries``  the kinds of entry: a new kind starts here
``checks``   what is refused when all entries are seen together
``loading``  the catalogue as one object
"""

from features.catalogue.entries import (
    UNITS,
    ActiveDays,
    AnyEntry,
    Attribute,
    Column,
    ColumnType,
    Condition,
    Context,
    Entry,
    EventAge,
    EventsEntry,
    EventValue,
    Indicator,
    LeadAge,
    Level,
    Preference,
    ShareOf,
    Theme,
)
from features.catalogue.loading import Catalogue, load_catalogue, target_columns

__all__ = [
    "UNITS",
    "ActiveDays",
    "AnyEntry",
    "Attribute",
    "Catalogue",
    "Column",
    "ColumnType",
    "Condition",
    "Context",
    "Entry",
    "EventAge",
    "EventValue",
    "EventsEntry",
    "Indicator",
    "LeadAge",
    "Level",
    "Preference",
    "ShareOf",
    "Theme",
    "load_catalogue",
    "target_columns",
]
