"""How a site's models are watched once they serve: over what time, how quietly, and whom alerts are sent to."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, Field

from leadlight.schema import DAY
from leadlight.settings.parts import Duration, Part, Share

THIS_MACHINE = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?", re.IGNORECASE)


def alert_address(text: str) -> str:
    """An address that alerts may be sent to, as it came; a ``ValueError``, which does not repeat it, if it is none.

    ``https://`` to any host; ``http://`` only to this machine, by the host's whole name; nobody's name or password in
    it; and no character about which two readers of addresses could differ.
    """
    if not (text.isascii() and text.isprintable()) or set(text) & set(" \\"):
        message = "an alert's address is plain ASCII without blanks and backslashes"
        raise ValueError(message)
    parts = _parts(text)
    if "@" in parts.netloc:
        message = "an alert's address holds no user and password: alerts are signed"
        raise ValueError(message)
    https = parts.scheme == "https" and bool(parts.hostname)
    if not https and not (parts.scheme == "http" and THIS_MACHINE.fullmatch(parts.netloc)):
        message = "an alert goes to an https:// address, or to this machine by http://127.0.0.1, localhost or [::1]"
        raise ValueError(message)
    return text


def _parts(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        message = "an alert's address has a host and, if any, the number of a port"
        raise ValueError(message) from None  # the cause would repeat it
    return parts


def _webhook(text: str) -> str:
    """An address, or ``env:NAME``, whose value is checked when it is read."""
    return text if text.startswith("env:") else alert_address(text)


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
    webhook: Annotated[str, AfterValidator(_webhook)] | None = None
    """Where alerts are sent to: ``https://…``, ``http://`` to this machine, or ``env:NAME``."""
    secret: Annotated[str, Field(pattern=r"^env:[A-Z][A-Z0-9_]*$")] | None = None
    """The environment's name of the secret (``whsec_…``) that signs them."""
