"""The one SQL database of a site: the live log, API keys and exports. Knows neither features nor HTTP."""

from leadlight.database.opening import open_database
from leadlight.database.use import DatabaseUnavailable, Row, is_storable, listed, read, spoken, writing

__all__ = ["DatabaseUnavailable", "Row", "is_storable", "listed", "open_database", "read", "spoken", "writing"]
