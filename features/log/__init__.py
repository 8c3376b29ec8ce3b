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
    lead_hash,
)
from features.log.log import Log
from features.log.tail import Tail

__all__ = [
    "Appended",
    "Log",
    "Logged",
    "NewEdge",
    "NewEvent",
    "NewFact",
    "NewVersion",
    "Refused",
    "Result",
    "Tail",
    "lead_hash",
]
