"""The score journal as an operator keeps it: old answers taken out."""

from __future__ import annotations

import typer

from leadlight.commands.console import Json, SiteFolder, StateFolder, app, err, print_answer
from leadlight.commands.place import wall
from leadlight.schema import from_micros
from leadlight.settings import SiteError, UsageError, load_site

journal = typer.Typer(help="The score journal: prune.", no_args_is_help=True)
app.add_typer(journal, name="journal")


@journal.callback()
def of_a_site() -> None:
    """A callback, so that `prune` keeps its name though it is the only command."""


@journal.command()
def prune(site: SiteFolder, state: StateFolder = None, as_json: Json = False) -> None:
    """Take out the answers that are older than leadlight.toml's [journal] keep_days; a running server does so too."""
    loaded = load_site(site)
    before = loaded.journal.kept_since(wall())
    if before is None:
        raise UsageError(["leadlight.toml keeps every answer: say [journal] keep_days = N, and those older go"])
    from leadlight.database import DatabaseUnavailable, open_database
    from leadlight.journal import prune_answers

    engine = open_database(loaded, (state or site / "state").resolve())
    try:
        with err.status("taking out old answers …"):
            count = prune_answers(engine, before)
    except DatabaseUnavailable as fault:
        raise SiteError(
            [f"the journal could not be pruned ({fault}): run it again when the database answers"]
        ) from fault
    finally:
        engine.dispose()
    moment = from_micros(before).isoformat(timespec="seconds")
    print_answer(as_json, {"removed": count, "before": moment}, [f"removed {count:,} answers given before {moment}"])
