"""The one SQL database of a site: log, score journal, API keys and exports. Knows neither features nor HTTP."""

from leadlight.database.opening import open_database
from leadlight.database.use import (
    DatabaseUnavailable,
    Row,
    TracesLeft,
    is_storable,
    lead_hash,
    leave_no_trace,
    listed,
    read,
    spoken,
    writing,
)

__all__ = [
    "DatabaseUnavailable",
    "Row",
    "TracesLeft",
    "is_storable",
    "lead_hash",
    "leave_no_trace",
    "listed",
    "open_database",
    "read",
    "spoken",
    "writing",
]
