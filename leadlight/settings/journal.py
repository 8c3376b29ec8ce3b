"""How long a site keeps the answers that it gave."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from leadlight.schema import DAY, Micros
from leadlight.settings.parts import Part


class Journal(Part):
    """``[journal]``."""

    keep_days: Annotated[int, Field(ge=1, le=36_500)] | None = None
    """Answers older than this go, by themselves while a server runs; without it every answer is kept."""

    def kept_since(self, now: Micros) -> Micros | None:
        """The moment before which answers go; ``None`` if none do."""
        return None if self.keep_days is None else now - self.keep_days * DAY
