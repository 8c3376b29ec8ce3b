"""What all commands share with the terminal: the app, the options they have in common, and how they answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console

app = typer.Typer(
    help="Leadlight: which leads will buy, in which order, and why.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
err = Console(stderr=True, highlight=False)
out = Console(highlight=False, soft_wrap=True)

EngineName = Annotated[
    Literal["duckdb", "spark"],
    typer.Option("--engine", help="what computes; Spark by its usual configuration, else local"),
]
Language = Annotated[Literal["zh", "en"], typer.Option("--lang", help="of the reasons")]
SiteFolder = Annotated[Path, typer.Argument(metavar="SITE", help="the site's folder")]
TargetName = Annotated[str | None, typer.Option("--target", help="one of the site's targets (default: its first)")]
DataFolder = Annotated[Path | None, typer.Option("--data", help="the folder of the raw files (remembered)")]
StateFolder = Annotated[Path | None, typer.Option("--state", help="all that the site produces (default: SITE/state)")]
AsOf = Annotated[
    str | None, typer.Option("--as-of", help="the moment that counts as now, ISO 8601; local without zone")
]
Json = Annotated[bool, typer.Option("--json", help="print one JSON object on stdout, everything else on stderr")]
HtmlPage = Annotated[Path | None, typer.Option("--html", help="write it as one HTML page, too")]


def check_page(page: Path | None) -> None:
    """Make the folder of a page that is asked for, and see that it can be written, before the work that fills it.

    A page that is there stays as it is; what cannot be written raises the ``OSError`` of it.
    """
    if page is None:
        return
    page.parent.mkdir(parents=True, exist_ok=True)
    there = page.exists()
    with page.open("ab"):
        pass
    if not there:
        page.unlink()


def print_page(page: Path | None, made: Callable[[], str]) -> None:
    """Write the page that was asked for; last of all, so that a disk that is full costs no answer."""
    if page is not None:
        page.write_text(made(), encoding="utf-8")


def print_answer(as_json: bool, values: dict[str, Any], lines: list[str]) -> None:
    if as_json:
        print(json.dumps(values, ensure_ascii=False))
    else:
        for line in lines:
            out.print(line, markup=False)
