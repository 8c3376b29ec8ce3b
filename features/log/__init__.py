"""The live log: facts that arrive one by one or in batches, kept in SQL until a build takes them into the base."""

from features.log.facts import (
    Appended,
    Logged,
    NewEdge,
    NewEvent,
    NewFact,
    NewVersion,
    Refused,
    Result,
    happened,
)
from features.log.log import Log
from features.log.sequence import Head
from features.log.tail import Tail
from leadlight.database import lead_hash

__all__ = [
    "Appended",
    "Head",
    "Log",
    "Logged",
    "NewEdge",
    "NewEvent",
    "NewFact",
    "NewVersion",
    "Refused",
    "Result",
    "Tail",
    "happened",
    "lead_hash",
]
