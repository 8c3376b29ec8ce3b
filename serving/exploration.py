"""Who is drawn into the exploration share: a few leads that the model does not flag, to see what it misses.

The draw is a keyed hash of target, lead and local day: at random for whoever does not know the key, and the same for
every question of one day, so that a lead does not come and go.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from leadlight.schema import Micros, local_day
from leadlight.settings import Site, SiteError
from leadlight.shelf import keys_folder

KEY = "exploration.key"
_BYTES = 32


@dataclass(frozen=True)
class Exploration:
    """The share of each target that explores, and the key of the draw."""

    shares: Mapping[str, float]
    key: bytes
    offset: Micros

    def probability(self, target: str, *, flagged: bool) -> float | None:
        """With which probability a lead is drawn; ``None`` if it cannot be: it is flagged, or nobody explores."""
        share = self.shares.get(target, 0.0)
        return None if flagged or share == 0.0 else share

    def draws(self, target: str, lead_id: str, as_of: Micros, *, flagged: bool) -> bool:
        """Whether this lead is drawn on the local day of ``as_of``."""
        share = self.probability(target, flagged=flagged)
        return share is not None and self.number(target, lead_id, as_of) < share

    def number(self, target: str, lead_id: str, as_of: Micros) -> float:
        """The lead's number of that day, uniform between 0 and 1: it is drawn into every share above it."""
        drawn = json.dumps([target, lead_id, local_day(as_of, self.offset)]).encode()
        digest = hmac.new(self.key, drawn, hashlib.sha256).digest()
        return int.from_bytes(digest[:6]) / 2**48


def open_exploration(site: Site, state: Path) -> Exploration:
    """How ``site`` explores, by the key in its state folder, which is drawn once if the site explores at all."""
    shares = {name: target.explore.share for name, target in site.targets.items() if target.explore.share}
    return Exploration(shares, _key(keys_folder(state) / KEY) if shares else b"", site.offset)


def _key(path: Path) -> bytes:
    """The key in the file, made at random if there is none; readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(f"{secrets.token_hex(_BYTES)}\n")
        try:
            os.link(draft, path)  # unlike a rename, it leaves a key that another process drew first
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii"))
    except ValueError:
        key = b""
    if len(key) != _BYTES:
        raise SiteError([f"{path} holds no {_BYTES} bytes in hex: restore it, or remove it to draw anew"])
    return key
