"""The history: all recorded facts, as Parquet bucketed by lead, and how they are read.

A state folder keeps each version of it in a folder of its own; ``summary.json`` says which one is current.
"""

from features.facts import TABLES, Event, LeadFacts, Tables, Value, Version
from features.history.reading import History, clock, open_history
from features.history.summary import Summary, history_folder
from features.history.writing import publish, write_history

__all__ = [
    "TABLES",
    "Event",
    "History",
    "LeadFacts",
    "Summary",
    "Tables",
    "Value",
    "Version",
    "clock",
    "history_folder",
    "open_history",
    "publish",
    "write_history",
]
