"""Feast without its own type checks at run time; to be imported before Feast.

They guard Feast's functions against arguments of a wrong type, which mypy does for our calls. Rewriting those functions
on import takes two thirds of the seconds that importing Feast costs every command and every start of the server.
"""

from __future__ import annotations

from typing import TypeVar

import typeguard

Decorated = TypeVar("Decorated")


def as_it_is(decorated: Decorated) -> Decorated:
    """What Feast decorates stays what it is."""
    return decorated


typeguard.typechecked = as_it_is  # type: ignore[assignment]  # declared overloaded, and Feast uses it bare
