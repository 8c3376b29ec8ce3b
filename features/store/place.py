"""Which site and state folder Feast's own commands work on: what the environment says, else the demo.

Leadlight's command line hands Feast absolute paths and never comes here; ``feast apply`` and ``feast ui`` by hand do.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from feast.infra.registry.file import FileRegistryStore
from feast.repo_config import RegistryConfig

from features.store import feast_folder
from features.store.repo import REPO_FILE, embedded
from leadlight.settings import SiteError, load_site

SITE_VARIABLE = "LEADLIGHT_SITE"
STATE_VARIABLE = "LEADLIGHT_STATE"
DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo"


def site_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """The site's folder: ``LEADLIGHT_SITE``, or the demo's."""
    return Path(environment.get(SITE_VARIABLE, DEMO)).absolute()


def state_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """The state folder: ``LEADLIGHT_STATE``, or ``state`` in the site's folder."""
    return Path(environment.get(STATE_VARIABLE, site_folder(environment) / "state")).absolute()


class StateRegistryStore(FileRegistryStore):
    """Feast's registry file; a relative path is one below the state folder, as for the online store."""

    def __init__(self, registry_config: RegistryConfig, repo_path: Path) -> None:  # noqa: ARG002 - Feast's interface
        _check_embedded(site_folder())
        folder = state_folder()
        feast_folder(folder).mkdir(parents=True, exist_ok=True)
        super().__init__(registry_config, folder)


def _check_embedded(site: Path) -> None:
    """This file's registry is the state folder's: a site on servers has settings of its own, left there by a build."""
    if not embedded(load_site(site).stores):
        file = feast_folder(state_folder()) / REPO_FILE
        fault = f"[stores] of {site} names servers: run `leadlight build {site}`, then Feast with `-f {file}`"
        raise SiteError([fault])
