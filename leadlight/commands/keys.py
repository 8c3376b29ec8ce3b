"""API keys: who may ask the server, made, listed and revoked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from leadlight.commands.console import Json, SiteFolder, StateFolder, app, err, print_answer
from leadlight.commands.place import wall
from leadlight.schema import from_micros
from leadlight.settings import load_site

if TYPE_CHECKING:
    from serving.access import Key, Keys

keys = typer.Typer(help="API keys: add, list, revoke.", no_args_is_help=True)
app.add_typer(keys, name="keys")

Scope = Annotated[Literal["crm", "sales", "scientist", "admin"], typer.Option(help="what the key may do")]


@keys.command()
def add(
    site: SiteFolder,
    name: Annotated[str, typer.Option(help="whose key it is")],
    scope: Scope,
    state: StateFolder = None,
    as_json: Json = False,
) -> None:
    """Make a key and show it, this once: Leadlight keeps only its hash."""
    key, text = _keys(site, state).add(name, scope, at=wall())
    print_answer(as_json, {**_shown(key), "key": text}, [text])
    words = f"The key of {key.name} ({key.scope}). It is not shown again; `leadlight keys revoke` ends it."
    err.print(words, markup=False, soft_wrap=True)


@keys.command("list")
def list_keys(site: SiteFolder, state: StateFolder = None, as_json: Json = False) -> None:
    """Every key ever made, without the keys themselves."""
    found = [_shown(key) for key in _keys(site, state).all()]
    lines = [
        f"{key['id']}  {key['scope']:<9}  made {key['created_at']}  {key['name']}"
        + (f"  (revoked {key['revoked_at']})" if key["revoked_at"] else "")
        for key in found
    ]
    print_answer(as_json, {"keys": found}, lines or ["no keys: the server answers this machine alone"])


@keys.command()
def revoke(
    site: SiteFolder,
    key: Annotated[str, typer.Argument(metavar="KEY", help="its id or name")],
    state: StateFolder = None,
    as_json: Json = False,
) -> None:
    """End a key: within a second no server takes it any more."""
    revoked = _keys(site, state).revoke(key, at=wall())
    print_answer(as_json, _shown(revoked), [f"the key of {revoked.name} ({revoked.scope}) is revoked"])


def _keys(site: Path, state: Path | None) -> Keys:
    from leadlight.database import open_database
    from serving.access import Keys

    return Keys(open_database(load_site(site), (state or site / "state").resolve()))


def _shown(key: Key) -> dict[str, str | None]:
    revoked_at = None if key.revoked_at is None else from_micros(key.revoked_at).isoformat()
    created_at = from_micros(key.created_at).isoformat()
    return {"id": key.id, "name": key.name, "scope": key.scope, "created_at": created_at, "revoked_at": revoked_at}
