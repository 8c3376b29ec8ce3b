"""Where the server listens, on this machine or with API keys for others too, and how it stops. Light to import."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from leadlight.settings import UsageError

if TYPE_CHECKING:
    from fastapi import FastAPI

STOP_SECONDS = 5
"""How long a stop waits for requests under way; one that sends no more of itself would hold it for ever."""


def open_port(host: str, port: int, *, has_keys: Callable[[], bool] = lambda: False) -> socket.socket:
    """Take the port before anything slow begins. Without API keys nobody but this machine may ask."""
    check_host(host, has_keys)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise UsageError([f"--port {port}: cannot listen on {host}: {error.strerror}; choose another port"]) from error


def serve(app: FastAPI, listener: socket.socket) -> None:
    """Answer until interrupted; however often that is, what waits for the journal is written."""
    import uvicorn

    config = uvicorn.Config(
        app,
        log_level="warning",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        app.state.journal.close()  # a second Ctrl-C skips the lifespan's end


def check_host(host: str, has_keys: Callable[[], bool] = lambda: False) -> None:
    """Refuse a ``host`` that other machines can reach while there is no valid API key."""
    with suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return
    if host != "localhost" and not has_keys():
        words = "no API key is configured, so only 127.0.0.1, ::1 or localhost: make one with `leadlight keys add SITE`"
        raise UsageError([f"--host {host}: {words}"])
