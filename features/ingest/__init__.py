"""Facts from files: rows of CSV, Parquet or JSON lines become events and lead versions for the live log."""

from features.ingest.files import FileRow, Refusal, read_rows
from features.ingest.rows import Reader
from features.ingest.taking import Taken, ingest
from features.ingest.telling import forget_refusals, write_refusals

__all__ = ["FileRow", "Reader", "Refusal", "Taken", "forget_refusals", "ingest", "read_rows", "write_refusals"]
