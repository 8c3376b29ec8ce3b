"""Facts from files: rows of CSV, Parquet or JSON lines become events and lead versions for the live log."""

from features.ingest.files import FileRow, read_rows
from features.ingest.rows import Reader, Refusal
from features.ingest.taking import Taken, ingest, write_refusals

__all__ = ["FileRow", "Reader", "Refusal", "Taken", "ingest", "read_rows", "write_refusals"]
