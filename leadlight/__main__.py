"""The command line: reads words, opens the rooms, prints answers. The only place that reads the wall clock."""

from __future__ import annotations

import ctypes
import datetime as dt
import json
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer
from rich.console import Console

from leadlight.schema import Micros, to_micros
from leadlight.settings import Site, SiteError, UsageError, load_site

if TYPE_CHECKING:
    from features.build import Built
    from features.catalogue import Catalogue

app = typer.Typer(
    help="Leadlight: which leads will buy, in which order, and why.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
err = Console(stderr=True, highlight=False)
out = Console(highlight=False, soft_wrap=True)

Language = Annotated[Literal["zh", "en"], typer.Option("--lang", help="of the reasons")]
SiteFolder = Annotated[Path, typer.Argument(metavar="SITE", help="the site's folder")]
TargetName = Annotated[str | None, typer.Option("--target", help="one of the site's targets (default: its first)")]
DataFolder = Annotated[Path | None, typer.Option("--data", help="the folder of the raw files (remembered)")]
StateFolder = Annotated[Path | None, typer.Option("--state", help="all that the site produces (default: SITE/state)")]
AsOf = Annotated[
    str | None, typer.Option("--as-of", help="the moment that counts as now, ISO 8601; local without zone")
]
Json = Annotated[bool, typer.Option("--json", help="print one JSON object on stdout, everything else on stderr")]


def main() -> None:
    """Run one command; a user's faults end it with 1 or 2 and no traceback."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    _keep_library_warnings_from_users()
    try:
        app()
    except SiteError as error:
        _refuse(error.faults, code=2 if isinstance(error, UsageError) else 1)
    except (FileExistsError, FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        _refuse([f"{error.filename}: {error.strerror}"], code=2)


def _refuse(faults: Sequence[str], *, code: int) -> NoReturn:
    if "--json" in sys.argv:
        print(json.dumps({"faults": faults}, ensure_ascii=False))
    for fault in faults:
        err.print(f"error: {fault}", markup=False, soft_wrap=True)
    sys.exit(code)


def _keep_library_warnings_from_users() -> None:
    """Deprecations inside Feast, Ibis and MLflow are for our tests, where they are errors."""
    logging.captureWarnings(capture=True)
    logging.getLogger("py.warnings").addHandler(logging.NullHandler())


@app.command()
def init(
    site: SiteFolder,
    data: Annotated[Path, typer.Option("--data", help="the folder of the raw CSV or Parquet files")],
    as_json: Json = False,
) -> None:
    """Draft a site from raw files: four commented files for a person to finish."""
    from features.draft import draft_site

    draft = draft_site(site, data)
    files = [str(path) for path in draft.files]
    lines = [*(f"wrote {path}" for path in files), *(f"left out {name}: {why}" for name, why in draft.left_out.items())]
    _answer(as_json, {"files": files, "left_out": draft.left_out}, lines)
    err.print(f"Next: finish the lines marked CHECK, then `leadlight check {site} --data {data}`")


@app.command()
def check(
    site: SiteFolder,
    data: DataFolder = None,
    state: StateFolder = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Run the site's SQL, name every fault of the raw data, and say whether they can carry a model."""
    place = _place(site, state)
    built = _build(place, data, as_of)
    from training.readiness import readiness

    report = readiness(place.site, built, state=place.state)
    _answer(as_json, report.to_json(), report.lines())


@app.command()
def build(
    site: SiteFolder, data: DataFolder = None, state: StateFolder = None, as_of: AsOf = None, as_json: Json = False
) -> None:
    """From raw files to features: history, spines, labels, Feast tables and online rows."""
    built = _build(_place(site, state), data, as_of)
    _answer(as_json, built.to_json(), built.lines())


@app.command()
def train(
    site: SiteFolder,
    target: TargetName = None,
    data: DataFolder = None,
    state: StateFolder = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Fit the target's model, judge it on later time, and keep bundle, verdict and certificate."""
    _check_libgomp()
    place, name = _ready(site, state, target, data, as_of)
    from training import pipeline

    with err.status(f"training {name} …"):
        result = pipeline.train(place.site, place.catalogue, name, state=place.state)
    _answer(as_json, result.to_json(), result.lines())


@app.command()
def promote(
    site: SiteFolder,
    version: Annotated[int | None, typer.Argument(help="the last trained by default")] = None,
    target: TargetName = None,
    state: StateFolder = None,
    as_json: Json = False,
) -> None:
    """Make a version the champion, if and only if its verdict is promote; exit 1 with the failed rules otherwise."""
    place = _place(site, state)
    name, _ = place.site.target(target)
    from leadlight import registry

    champion = registry.promote(place.site, name, state=place.state, version=version)
    words = f"{name}: version {champion.version} is the champion"
    _answer(as_json, {"target": name, "version": champion.version, "bundle_sha256": champion.bundle_sha256}, [words])


@app.command()
def backtest(
    site: SiteFolder,
    target: TargetName = None,
    data: DataFolder = None,
    state: StateFolder = None,
    predictions: Annotated[Path | None, typer.Option(help="write the test rows' probabilities, Parquet")] = None,
    dataset: Annotated[Path | None, typer.Option(help="write all feature rows, Parquet")] = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """The same later rows for Leadlight, logistic regression, default LightGBM and HistGradientBoosting."""
    _check_libgomp()
    place, name = _ready(site, state, target, data, as_of)
    from training import backtest as backtesting

    with err.status(f"backtesting {name} …"):
        result = backtesting.backtest(
            place.site, place.catalogue, name, state=place.state, predictions=predictions, dataset=dataset
        )
    _answer(as_json, result.to_json(), result.lines())


@app.command()
def score(
    site: SiteFolder,
    file: Annotated[Path, typer.Option("--out", help="a .parquet, .csv or .jsonl file")],
    target: TargetName = None,
    data: DataFolder = None,
    state: StateFolder = None,
    as_of: AsOf = None,
    language: Language = "en",
    as_json: Json = False,
) -> None:
    """Score every open lead, likeliest first, with grade and reasons: what HTTP answers at the same moment."""
    place, name = _ready(site, state, target, data)
    from serving.bulk import score_site

    with err.status(f"scoring open leads for {name} …"):
        scored = score_site(
            place.site,
            place.catalogue,
            target=name,
            state=place.state,
            out=file,
            wall=_wall(),
            as_of=_moment(as_of, place.site),
            language=language,
        )
    moment = scored.as_of.isoformat()
    values = {"target": name, "version": scored.version, "as_of": moment, "leads": scored.leads, "out": str(file)}
    _answer(as_json, values, [f"{scored.leads:,} open leads as of {moment}, model {scored.version}: {file}"])


@app.command()
def serve(
    site: SiteFolder,
    data: DataFolder = None,
    state: StateFolder = None,
    host: Annotated[str, typer.Option(help="loopback only, as long as there are no API keys")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    as_of: AsOf = None,
) -> None:
    """Answer over HTTP: scores with reasons, and a card for sales."""
    place = _place(site, state)
    fixed = _moment(as_of, place.site)
    from serving.app import create_app, open_port
    from serving.app import serve as answer

    with open_port(host, port) as listener:
        _build(place, data)
        with err.status("opening the service …"):
            application = create_app(place.site, place.catalogue, state=place.state, wall=_wall, as_of=fixed)
        err.print(f"Leadlight answers at http://{host}:{port} — a card: /leads/LEAD_ID; Ctrl-C ends it")
        answer(application, listener)


@app.command()
def demo(
    serving: Annotated[bool, typer.Option("--serve/--no-serve", help="keep answering over HTTP at the end")] = True,
    state: StateFolder = None,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
) -> None:
    """From nothing to explained scores: draw made data, build, train, judge, promote, score, serve."""
    folder = Path(__file__).parents[1] / "examples" / "demo"
    scores = (state or folder / "state") / "scores.jsonl"
    err.print("[bold]The demo runs on made data: an online school that does not exist.[/bold]")
    check(folder, state=state)
    train(folder, state=state)
    promote(folder, state=state)
    score(folder, file=scores, state=state)
    with scores.open(encoding="utf-8") as lines:
        for _, line in zip(range(3), lines, strict=False):
            _print_score(json.loads(line))
    if serving:
        serve(folder, state=state, port=port)


def _print_score(found: dict[str, Any]) -> None:
    """The strongest reasons of one scored lead, in percentage points of probability."""
    low, high = (f"{found['interval'][end]:.0%}" for end in ("low", "high"))
    head = f"lead {found['lead_id']}: grade {found['grade']}, {found['probability']:.0%} ({low} to {high})"
    out.print(f"{head}, score {found['score']}", markup=False)
    for reason in found["reasons"][:4]:
        out.print(f"    {reason['percentage_points']:+6.1f}  {reason['words']}", markup=False)


@dataclass(frozen=True)
class _Place:
    """One site opened for one command."""

    site: Site
    catalogue: Catalogue
    state: Path


def _place(folder: Path, state: Path | None) -> _Place:
    from features.catalogue import load_catalogue

    site = load_site(folder)
    return _Place(site, load_catalogue(site), (state or folder / "state").resolve())


def _ready(
    folder: Path, state: Path | None, target: str | None, data: Path | None, as_of: str | None = None
) -> tuple[_Place, str]:
    """The site opened and built, and the name of the target asked for."""
    place = _place(folder, state)
    name, _ = place.site.target(target)
    _build(place, data, as_of)
    return place, name


def _build(place: _Place, data: Path | None, as_of: str | None = None) -> Built:
    from features.build import build as build_features

    folder, moment = _data_folder(place, data), _moment(as_of, place.site)
    with err.status("building features …"):
        built = build_features(place.site, place.catalogue, state=place.state, data=folder, as_of=moment, wall=_wall())
    _memory(place).write_text(str(folder), encoding="utf-8")
    return built


def _data_folder(place: _Place, given: Path | None) -> Path:
    """The raw files: as given, else as last given, else the site's made data, drawn once."""
    if given is None and _memory(place).is_file():
        return Path(_memory(place).read_text(encoding="utf-8"))
    if given is None and place.site.sample is None:
        raise UsageError([f"{place.site.folder.name}: give the folder of the raw files with --data DIR"])
    folder = given.resolve() if given else place.state.with_name(f"{place.state.name}-made-data")
    if given is None and place.site.sample and not folder.exists():
        from leadlight.sample import draw

        with err.status("drawing made data …"):
            draw(folder, leads=place.site.sample.leads, seed=place.site.sample.seed)
    return folder


def _memory(place: _Place) -> Path:
    """Where the folder of the last build's raw files is remembered."""
    return place.state / "data_folder"


def _moment(text: str | None, site: Site) -> Micros | None:
    """``--as-of`` as microseconds; a moment without a zone is the site's local time."""
    if text is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError([f"--as-of {text!r} is not a moment such as 2025-03-01T09:00"]) from error
    zone = dt.timezone(dt.timedelta(microseconds=site.offset))
    asked = to_micros(moment if moment.tzinfo else moment.replace(tzinfo=zone))
    if asked > _wall():
        raise UsageError([f"--as-of {text!r} lies in the future: nothing is known of it"])
    return asked


def _wall() -> Micros:
    return to_micros(dt.datetime.now(tz=dt.UTC))


def _check_libgomp() -> None:
    try:
        ctypes.CDLL("libgomp.so.1" if sys.platform == "linux" else "libomp.dylib")
    except OSError as error:
        raise SiteError(
            ["LightGBM needs the OpenMP library libgomp, which comes with gcc (Debian: libgomp1)"]
        ) from error


def _answer(as_json: bool, values: dict[str, Any], lines: list[str]) -> None:
    if as_json:
        print(json.dumps(values, ensure_ascii=False))
    else:
        for line in lines:
            out.print(line, markup=False)


if __name__ == "__main__":
    main()
