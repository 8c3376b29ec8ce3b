"""How a site's models are watched once they serve: over what time, how quietly, and whom alerts are sent to."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from leadlight.schema import DAY
from leadlight.settings.parts import Duration, Part, Share


def _address(text: str) -> str:
    if not text.startswith(("https://", "http://127.0.0.1", "http://localhost", "http://[::1]", "env:")):
        message = "an alert goes to an https:// address, to this machine by http://127.0.0.1, or to env:NAME"
        raise ValueError(message)
    return text


class Watch(Part):
    """``[monitor]``."""

    window: Annotated[Duration, Field(ge=DAY)] = 28 * DAY
    """How far back scores are compared with training, and how far back from their maturity answers with outcomes."""
    rows: Literal["auto", "journal", "schedule"] = "auto"
    """What is watched: answers given, or the moments that training looks at; ``auto``: answers where they suffice."""
    false_alarms: Share = 0.05
    """The share of runs that may raise any drift finding although nothing drifted."""
    material: Annotated[float, Field(ge=0)] = 0.1
    """The population stability index, beyond what so few rows show by chance, from which on a change matters."""
    largest_shift: Annotated[float, Field(gt=0, le=5)] = 1.5
    """How far, in log-odds from the first offset, ``recalibrate`` may go: beyond that something else is wrong."""
    webhook: Annotated[str, AfterValidator(_address)] | None = None
    """Where alerts are sent to."""
    secret: Annotated[str, Field(pattern=r"^env:[A-Z][A-Z0-9_]*$")] | None = None
    """The environment's name of the secret (``whsec_…``) that signs them."""
