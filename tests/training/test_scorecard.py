"""A model as a card: its rules say what the model says, can be edited, and are judged beside the model and by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from leadlight.commands.console import app
from leadlight.commands.scorecard import scorecard
from leadlight.model.bundle import load_bundle
from leadlight.settings import SiteError, UsageError
from leadlight.settings.points import read_points
from leadlight.shelf import bundle_folder
from tests.training.training_builders import Place, made_place, made_rows
from training.pipeline import train
from training.scorecard import Scorecard, as_toml, learn_table, make_scorecard

BY_HAND = """
[[rule]]
when = "visits >= 3"
points = 2

[[rule]]
when = "city == 'Wuhan'"
points = 1
"""


class Trained(NamedTuple):
    """A place with one version, and its scorecard."""

    place: Place
    found: Scorecard


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A version that no gate let pass, as a card beside one by hand."""
    folder = tmp_path_factory.mktemp("scorecard")
    rows = made_rows(700)
    rows.loc[rows["label"].cumsum() % 4 != 0, "label"] = 0  # few enough for a regression, which is quick to fit
    place = made_place(folder, rows)
    train(place.site, place.catalogue, "sale", state=place.state)
    (folder / "mine.toml").write_text(BY_HAND, encoding="utf-8")
    found = make_scorecard(place.site, place.catalogue, "sale", state=place.state, card=folder / "mine.toml")
    return Trained(place, found)


def test_a_card_follows_the_model_it_was_learned_from(trained: Trained) -> None:
    """It ranks the test rows nearly as the model does, in whole points of -10 to 10, on the columns that matter."""
    _, found = trained

    points = [rule.points for rule in found.learned.rules]
    assert found.learned.rank_correlation is not None
    assert found.learned.rank_correlation > 0.85
    assert (found.learned.same_grade or 0) > 0.6
    assert max(map(abs, points)) == 10
    assert all(each == int(each) != 0 for each in points)
    assert any("visits >=" in rule.when[0] for rule in found.learned.rules)
    assert found.learned.worth > 0
    assert found.learned.log_loss is not None
    assert found.learned.loss_difference == pytest.approx(found.learned.log_loss - (found.model["log_loss"] or 0))


def test_a_card_by_hand_is_judged_beside_it(trained: Trained) -> None:
    """Two rules keep less of the model than the learned card does, and are shown as they were written."""
    _, found = trained

    assert found.by_hand is not None
    assert [(rule.when, rule.points) for rule in found.by_hand.rules] == [
        (("visits >= 3",), 2),
        (("city == 'Wuhan'",), 1),
    ]
    assert 0.5 < (found.by_hand.rank_correlation or 0) < (found.learned.rank_correlation or 0)
    text = "\n".join(found.lines())
    assert "     +2  visits >= 3" in text
    assert "same grade" in text
    assert json.loads(json.dumps(found.to_json()))["by_hand"]["rules"][0]["points"] == 2


def test_the_file_is_the_card_and_can_be_scored_as_one_by_hand(trained: Trained, tmp_path: Path) -> None:
    """Read back it has the same rules, and judged by hand the same numbers: what is edited is what was measured."""
    place, found = trained
    (tmp_path / "points.toml").write_text(found.file, encoding="utf-8")

    again = make_scorecard(place.site, place.catalogue, "sale", state=place.state, card=tmp_path / "points.toml")

    assert again.learned == found.learned
    assert again.by_hand == found.learned


def test_a_card_is_not_judged_on_rows_that_the_model_learned_from(trained: Trained) -> None:
    """With a test that begins earlier today, later rows alone count, and the card says so."""
    place, found = trained

    split = place.site.targets["sale"].split.model_copy(update={"test_share": 0.6})
    targets = {"sale": place.site.targets["sale"].model_copy(update={"split": split})}

    earlier = make_scorecard(
        place.site.model_copy(update={"targets": targets}), place.catalogue, "sale", state=place.state
    )

    assert earlier.rows == found.rows == 140
    assert earlier.notes[0].startswith(f"{420 - 140} of 420 test rows do not count: version 1 learned from")
    assert f"  note: {earlier.notes[0]}" in earlier.lines()


def test_a_card_with_lists_and_scales_is_written_as_it_reads(tmp_path: Path, trained: Trained) -> None:
    """A hand-made table with several conditions and a scale survives being written."""
    (tmp_path / "one.toml").write_text(
        "[[rule]]\nwhen = ['visits >= 1', \"city == 'Wu\\\"han'\"]\npoints = 1.5\nscale = 'buying'\n"
    )
    table = read_points(tmp_path / "one.toml")

    (tmp_path / "two.toml").write_text(as_toml(table, trained.place.catalogue.columns, "By hand."))

    assert read_points(tmp_path / "two.toml") == table


def test_the_command_writes_a_new_file_and_never_over_one(trained: Trained, tmp_path: Path) -> None:
    """An existing card may hold somebody's edits; the options are there."""
    (tmp_path / "points.toml").write_text("mine")

    with pytest.raises(UsageError, match="may have been edited by hand"):
        scorecard(trained.place.site.folder, file=tmp_path / "points.toml", state=trained.place.state)

    assert (tmp_path / "points.toml").read_text() == "mine"
    told = CliRunner().invoke(app, ["scorecard", "--help"])
    assert "--card" in told.output


def test_a_model_that_says_the_same_of_everybody_makes_no_card(trained: Trained) -> None:
    """The base rate has no reasons to put on a card."""
    folder = bundle_folder(trained.place.state, "sale", 1)
    bundle = load_bundle(folder, expected=trained.found.bundle_sha256)
    rows = made_rows(100)

    with pytest.raises(SiteError, match="says the same of every lead"):
        learn_table(bundle.model, rows.assign(**{name: rows[name].iloc[0] for name in bundle.model.encoder.columns}))
