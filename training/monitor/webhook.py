"""Alerts sent to a webhook, signed as Standard Webhooks (standardwebhooks.com) has it; tried again while it is away."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import http.client
import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from leadlight.settings import Site, SiteError
from leadlight.settings.watch import alert_address

TIMEOUT_SECONDS = 10.0
PAUSES = (1.0, 4.0, 16.0)
"""Seconds between tries: four in all."""
FEWEST_BYTES = 24
_PREFIX = "whsec_"
_OK = range(200, 300)
_AGAIN = {408, 425, 429}
_SERVER_FAULT = 500


@dataclass(frozen=True, repr=False)
class Webhook:
    """Where alerts go, and the secret that signs them."""

    address: str
    secret: bytes


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """What is sent to one address is for that address."""

    def redirect_request(self, *_: object) -> None:
        return None


@dataclass(frozen=True)
class Sender:
    """A webhook and the wall clock: ``seconds`` tells the time since the epoch, ``sleep`` waits."""

    webhook: Webhook
    seconds: Callable[[], int]
    sleep: Callable[[float], None]


def open_webhook(site: Site, environment: Mapping[str, str] = os.environ) -> Webhook | None:
    """The site's webhook, if it has one; ``SiteError`` if its address or secret is not to be had."""
    settings = site.monitor
    if settings.webhook is None:
        return None
    faults = []
    address = settings.webhook
    if address.startswith("env:"):
        address = environment.get(address[4:], "")
        try:
            alert_address(address)
        except ValueError as error:
            words = f"but the environment has no such address there: {error}"
            faults.append(f"leadlight.toml: [monitor] webhook is {settings.webhook!r}, {words}")
    text = environment.get(settings.secret[4:], "") if settings.secret else ""
    secret = _secret(text)
    if secret is None:
        where = settings.secret or "not given"
        words = f'[monitor] secret is {where!r}: alerts are signed, so name with "env:NAME" where the environment has'
        faults.append(f"leadlight.toml: {words} {_PREFIX} and at least {FEWEST_BYTES} bytes as base64")
    if faults:
        raise SiteError(faults)
    return Webhook(address, secret or b"")


def _secret(text: str) -> bytes | None:
    try:
        found = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    return found if text.startswith(_PREFIX) and len(found) >= FEWEST_BYTES else None


def signature(secret: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """``v1,BASE64``: HMAC-SHA256 of ``ID.TIMESTAMP.BODY``."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()


def send(sender: Sender, message_id: str, message: Mapping[str, Any]) -> str:
    """Send one alert, four times at most; what went wrong in the end, or nothing.

    Every try has the same id, so that a receiver that
    heard one but whose answer was lost can tell. A refusal (any other 4xx, a redirect) is not tried again.
    """
    body = json.dumps(message, sort_keys=True, ensure_ascii=False, allow_nan=False).encode()
    fault = ""
    for pause in (0.0, *PAUSES):
        if pause:
            sender.sleep(pause)
        status, fault = _post(sender.webhook, message_id, body, sender.seconds())
        if status in _OK:
            return ""
        if status is not None and status not in _AGAIN and status < _SERVER_FAULT:
            break
    return fault


def _post(webhook: Webhook, message_id: str, body: bytes, timestamp: int) -> tuple[int | None, str]:
    """The status of the answer, or ``None`` if there was none, and the fault in words."""
    request = urllib.request.Request(  # noqa: S310  # open_webhook allows https, and http to this machine
        webhook.address,
        data=body,
        method="POST",
        headers={
            "content-type": "application/json",
            "user-agent": "leadlight",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(webhook.secret, message_id, timestamp, body),
        },
    )
    try:
        with urllib.request.build_opener(_NoRedirect()).open(request, timeout=TIMEOUT_SECONDS) as answer:
            return int(answer.status), ""
    except urllib.error.HTTPError as error:
        with error:
            return error.code, f"answered {error.code}"
    except (OSError, http.client.HTTPException) as error:
        return None, f"could not be reached ({getattr(error, 'reason', error)})"
