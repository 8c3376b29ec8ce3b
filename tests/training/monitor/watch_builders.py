"""A small school whose truth is known: leads before and after training, a linear model of it, and what may drift."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.catalogue import Catalogue, load_catalogue, target_columns
from features.duck import connect
from features.facts import Event, LeadFacts, Tables, Version
from features.history import publish, write_history
from features.outcomes import scheduled_rows
from leadlight import journal
from leadlight.database import open_database
from leadlight.model.blended import Model
from leadlight.model.bundle import Bundle, load_bundle, write_bundle
from leadlight.model.certificate import Certificate, signing_key, write_certificate
from leadlight.model.manifest import Origin
from leadlight.model.margins import sigmoid
from leadlight.model.trees import TreePart
from leadlight.schema import DAY, HOUR, Micros
from leadlight.settings import Site, load_site
from leadlight.shelf import bundle_folder, champion_file, current_champion, keys_folder, verdict_file, write_json
from tests.builders import arrow_tables
from training.as_judged import KEY, AsJudged
from training.calibrate import first_offset, freeze_cuts, venn_abers
from training.fit.encode import learn_encoder
from training.fit.folds import Sample
from training.fit.linear import PLAIN, LinearChoice, fit_linear
from training.monitor.rows import frame
from training.reference import distributions, spread

TARGET = "sale"
START = 20_000 * DAY
TRAINED = START + 100 * DAY
END = START + 200 * DAY
A_DAY = 8
"""Leads that come every day."""
SITE = """
[site]
name = "watched"
title = {{zh = "小站", en = "Watched"}}
utc_offset = "+08:00"
[clock]
at = "last_fact"
[kinds.page_view]
[kinds.buy]
[targets.sale]
outcome = ["buy"]
horizon = "10d"
outcome_delay = "1d"
observe = {{offsets = ["1d"]}}
[targets.sale.operate]
flag_share = 0.2
[targets.sale.gate]
precision = 0.3
recall = 0.2
[monitor]
{monitor}
"""
CATALOGUE = """
[[feature]]
name = "city"
kind = "attribute"
column = "city"
zh = "城市"
en = "city"
[[feature]]
name = "budget"
kind = "attribute"
column = "budget"
type = "number"
zh = "预算"
en = "budget"
[[feature]]
name = "pages"
kind = "count"
events = ["page_view"]
zh = "浏览"
en = "pages"
[[feature]]
name = "newcomers"
kind = "context"
events = ["lead_created"]
windows = ["7d"]
zh = "新增"
en = "newcomers"
"""


@dataclass(frozen=True)
class World:
    """What happens after training: log-odds added to every lead's, and from when on budgets are lost, if ever."""

    shift: float = 0.0
    budgets_until: Micros = END
    seed: int = 5


@dataclass(frozen=True)
class Place:
    """A school with a champion, version 1, trained up to ``TRAINED``."""

    site: Site
    catalogue: Catalogue
    state: Path

    @property
    def champion(self) -> Bundle:
        """The champion's bundle."""
        named = current_champion(self.state, TARGET)
        assert named is not None
        return load_bundle(bundle_folder(self.state, TARGET, named.version), expected=named.bundle_sha256)


def made_place(folder: Path, world: World, *, monitor: str = "") -> Place:
    """The school in ``folder`` after 200 days in that world, with a champion that learned from the first 100."""
    folder.mkdir(parents=True)
    (folder / "leadlight.toml").write_text(SITE.format(monitor=monitor), encoding="utf-8")
    (folder / "catalogue.toml").write_text(CATALOGUE, encoding="utf-8")
    site = load_site(folder)
    place = Place(site, load_catalogue(site), folder / "state")
    live(place, world)
    _make_champion(place)
    return place


def live(place: Place, world: World) -> None:
    """Let the 200 days have been those of that world."""
    tables = {name: ibis.memtable(table) for name, table in arrow_tables(made_leads(world), ()).items()}
    publish(write_history(Tables(**tables), connect(), place.state), place.state)


def answer_all(place: Place, **known: Any) -> list[journal.Answer]:  # noqa: ANN401  fields of Answer
    """Put an answer of the champion about every scheduled moment since into the journal; returns them."""
    answers = all_answers(place, **known)
    write_answers(place, answers)
    return answers


def all_answers(place: Place, **known: Any) -> list[journal.Answer]:  # noqa: ANN401  fields of Answer
    """An answer of the champion about every scheduled moment since, by time."""
    rows = scheduled_rows(place.site, place.catalogue, TARGET, place.state, after=TRAINED, end=END)
    rows = rows.filter(pc.invert(rows["converted"]))
    bundle = place.champion
    X = as_frame(place, rows)
    scores = bundle.model.score(X)
    return [
        journal.Answer(
            **{
                "id": f"{place_in:06d}",
                "lead_id": lead_id,
                "target": TARGET,
                "asked_at": as_of + HOUR,
                "as_of": as_of,
                "features_as_of": as_of,
                "model_version": "1",
                "bundle_sha256": bundle.sha256,
                "source": "http",
                "probability": p,
                "raw": raw,
                "low": p,
                "high": p,
                "grade": bundle.cuts.grade(p),
                "flagged": bundle.cuts.flagged(p),
                "vector": json.dumps(values),
                **known,
            }
        )
        for place_in, (lead_id, as_of, p, raw, values) in enumerate(
            zip(
                rows["lead_id"].to_pylist(),
                rows["as_of"].to_pylist(),
                scores.probability.tolist(),
                scores.raw.tolist(),
                [
                    {name: None if value != value else value for name, value in row.items()}  # noqa: PLR0124  # NaN
                    for row in X.to_dict("records")
                ],
                strict=True,
            )
        )
    ]


def name_champion(place: Place, version: int, sha256: str) -> None:
    """Let this version be the champion."""
    write_json(champion_file(place.state, TARGET), {"version": version, "bundle_sha256": sha256})


def write_answers(place: Place, answers: list[journal.Answer]) -> None:
    """Put these answers into the journal."""
    engine = open_database(place.site, place.state)
    journal.keep(engine, answers)
    engine.dispose()


def as_frame(place: Place, rows: pa.Table) -> pd.DataFrame:
    """Rows as the model takes them."""
    return frame(target_columns(place.catalogue, ()), {name: rows[name].to_pylist() for name in rows.column_names})


def made_leads(world: World) -> list[LeadFacts]:
    """Everybody who came in the 200 days."""
    random = np.random.default_rng(world.seed)
    leads = []
    for number in range(200 * A_DAY):
        came = START + number * DAY // A_DAY
        pages, budget = int(random.poisson(2)), float(np.round(random.exponential(1000), 2))
        city = str(random.choice(["Beijing", "Wuhan", "Lhasa"], p=[0.6, 0.35, 0.05]))
        margin = -2.0 + 0.7 * (pages - 2) + 0.9 * (city == "Wuhan") + (world.shift if came >= TRAINED else 0.0)
        events = [_event("page_view", number, came + (page + 1) * HOUR, page) for page in range(pages)]
        if random.random() < float(sigmoid(np.array([margin]))[0]):
            bought = came + DAY + int(random.integers(0, 10 * DAY))
            events.append(_event("buy", number, bought, 0))
        known = None if came >= world.budgets_until else budget
        versions = (Version(came, came, {"channel": "sem", "city": city, "budget": known}),)
        leads.append(LeadFacts(f"L{number:05d}", came, "sem", versions=versions, events=tuple(events)))
    return leads


def _event(kind: str, number: int, at: Micros, place: int) -> Event:
    return Event(f"{kind}-{number}-{place}", kind, at, at)


def _make_champion(place: Place) -> None:
    rows = scheduled_rows(place.site, place.catalogue, TARGET, place.state, after=0, end=TRAINED)
    X, y = as_frame(place, rows), rows["label"].to_numpy().astype(np.int8)
    encoder = learn_encoder(X)
    matrix = encoder.encode(X)
    choice = LinearChoice(((PLAIN, 1.0),), 0.0)
    columns = len(encoder.columns)
    linear = fit_linear(Sample(matrix, y, np.ones(len(y))), encoder, choice, directions={})
    margins = linear.margin(linear.contributions(matrix))
    model = Model(
        encoder=encoder,
        groups=encoder.columns,
        linear=linear,
        trees=TreePart.of((), columns=columns),
        weight=0.0,
        offset=0.0,
        interval=venn_abers(margins, y),
    )
    target = place.site.targets[TARGET]
    origin = Origin(
        TARGET,
        target.question,
        place.catalogue.digest(encoder.columns),
        "d" * 64,
        7,
        len(y),
        int(y.sum()),
        int(rows["as_of"][-1].as_py()),
    )
    reference = {
        **distributions(X, encoder, sigmoid(margins)),
        "leads": len(y),
        "score": spread(sigmoid(margins)),
        "calibration": first_offset(margins, y, offset=0.0),
    }
    files = place.state / "new"
    cuts = freeze_cuts(sigmoid(margins), operate=target.operate, grades=target.grades)
    sha256 = write_bundle(files / "bundle", model, origin=origin, cuts=cuts, rows=X, reference=reference)
    rules = [
        {"name": name, "value": 0.5, "lower": 0.4, "upper": 0.6, "threshold": 0.2, "state": "pass", "evidence": ""}
        for name in ("precision", "recall")
    ]
    grades = np.array([cuts.grade(p) for p in sigmoid(margins).tolist()], dtype=object)
    findings = {
        "verdict": "promote",
        "rules": rules,
        "looks": 1,
        "alpha": 0.05,
        "notes": [],
        "champion": None,
        KEY: AsJudged.of(margins, y, grades).to_json(),
    }
    certificate = Certificate(sha256, TARGET, "promote", findings)
    write_certificate(files / "bundle", certificate, key=signing_key(keys_folder(place.state)))
    bundle_folder(place.state, TARGET, 1).parent.mkdir(parents=True)
    (files / "bundle").rename(bundle_folder(place.state, TARGET, 1))
    write_json(verdict_file(place.state, TARGET, 1), {"target": TARGET, "bundle_sha256": sha256, **findings})
    name_champion(place, 1, sha256)
    files.rmdir()
