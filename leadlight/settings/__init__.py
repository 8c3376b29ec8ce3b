"""A site's settings, and the faults that a user's files or words can have."""

from leadlight.settings.parts import Name, Part, SiteError, UsageError, Wording, parse_duration, parse_part, read_toml
from leadlight.settings.people import Identity, LockRule
from leadlight.settings.site import Channel, Kind, Site, load_site
from leadlight.settings.stores import Stores, resolved
from leadlight.settings.target import WEEKDAYS, Explore, Gate, Grades, Observe, Operate, Split, Target

__all__ = [
    "WEEKDAYS",
    "Channel",
    "Explore",
    "Gate",
    "Grades",
    "Identity",
    "Kind",
    "LockRule",
    "Name",
    "Observe",
    "Operate",
    "Part",
    "Site",
    "SiteError",
    "Split",
    "Stores",
    "Target",
    "UsageError",
    "Wording",
    "load_site",
    "parse_duration",
    "parse_part",
    "read_toml",
    "resolved",
]
