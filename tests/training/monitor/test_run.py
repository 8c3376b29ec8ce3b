"""Runs of the monitor: each leaves its record once, alerts once, and never beside another."""

from __future__ import annotations

import fcntl
import json
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from features.outcomes import scheduled_rows
from leadlight.model.bundle import Bundle, check_golden, load_bundle
from leadlight.model.certificate import PUBLIC_KEY, pinned_key, read_certificate
from leadlight.registry import Decision, mlflow_client, promote
from leadlight.schema import DAY, HOUR, from_micros
from leadlight.settings import SiteError, load_site
from leadlight.shelf import Champion, bundle_folder, champion_file, current_champion, keys_folder, verdict_file
from tests.training.card_figures import shown, tables_of
from tests.training.monitor.test_webhook import NAMED, SECRET, Receiver
from tests.training.monitor.watch_builders import (
    END,
    TARGET,
    TRAINED,
    Place,
    World,
    all_answers,
    as_frame,
    live,
    write_answers,
)
from training.as_judged import KEY, AsJudged, Found
from training.gate import Signer
from training.monitor.run import Monitored, metrics_file, monitor
from training.monitor.watch import watch
from training.monitor.webhook import Sender, Webhook
from training.recalibrate import recalibrate
from training.recalibrated import Recalibrated

pytestmark = pytest.mark.proof


class Followed(NamedTuple):
    """A place, the champion that was followed from, and what two runs over the same facts came to."""

    place: Place
    parent: Bundle
    first: Recalibrated
    second: Recalibrated


def run(place: Place, sender: Sender | None = None) -> Monitored:
    """One run at the end of the 200 days."""
    return monitor(place.site, place.catalogue, TARGET, state=place.state, now=END, end=END, sender=sender)


@pytest.fixture(scope="module")
def drifted(quiet: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A copy whose base rate rose and whose budgets are lost."""
    folder = tmp_path_factory.mktemp("drifted") / "site"
    shutil.copytree(quiet.site.folder, folder)
    site = load_site(folder)
    place = Place(site, quiet.catalogue, site.folder / "state")
    live(place, World(shift=1.0, budgets_until=END - 10 * DAY))
    return place


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """A server that is away for the first alert's four tries."""
    with Receiver(503, 503, 503, 503) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def runs(drifted: Place, receiver: Receiver) -> list[Monitored]:
    """Three runs over the same facts."""
    sender = Sender(Webhook(receiver.address, SECRET), lambda: 1_700_000_000, lambda _: None)
    return [run(drifted, sender) for _ in range(3)]


def test_a_changed_world_is_found_and_named(runs: list[Monitored]) -> None:
    """A lost column points to its source, a moved base rate to recalibration; and the words say so."""
    found = runs[0].look

    assert {(each.kind, each.subject) for each in found.found} >= {
        ("missing", "budget"),
        ("calibration", "base rate"),
    }
    assert found.advice[:2] == ["look at source leads.budget", "recalibrate"]
    assert "advice: look at source leads.budget; recalibrate" in runs[0].lines()


def test_the_same_facts_leave_one_record(drifted: Place, runs: list[Monitored]) -> None:
    """One file and one run in MLflow, named by its day, with the numbers as metrics and the look as its file."""
    assert [each.new for each in runs] == [True, False, False]
    assert len({each.record for each in runs}) == 1
    client = mlflow_client(drifted.site, drifted.state)
    experiment = client.get_experiment_by_name("watched-sale")
    assert experiment is not None
    (tracked,) = client.search_runs([experiment.experiment_id])
    assert tracked.info.run_name == "monitor 2025-04-22"
    assert tracked.data.metrics["findings"] == len(runs[0].look.found)
    assert {file.path for file in client.list_artifacts(tracked.info.run_id)} == {"monitor.json", "monitor.txt"}
    document = json.loads(runs[0].record.read_bytes())
    assert document["mlflow_run"] == tracked.info.run_id
    assert document["findings"] == json.loads(json.dumps(runs[2].to_json()["findings"]))


def test_each_finding_is_told_once(runs: list[Monitored], receiver: Receiver) -> None:
    """The alert that failed is sent by the next run under the same id; the third run has nothing to say."""
    found = runs[0].look.found
    assert [each.sent for each in runs] == [len(found) - 1, 1, 0]
    assert [len(each.faults) for each in runs] == [1, 0, 0]
    ids = [headers["webhook-id"] for _, headers, _ in receiver.came]
    assert len(set(ids)) == len(found)
    assert ids[0] == ids[-1]
    subjects = {json.loads(body)["data"]["subject"] for _, _, body in receiver.came}
    assert subjects == {each.subject for each in found}


def test_alerts_and_metrics_hold_no_value_of_a_lead(drifted: Place, runs: list[Monitored], receiver: Receiver) -> None:
    """No city, budget or lead is in them."""
    told = b"".join(body for _, _, body in receiver.came).decode() + metrics_file(drifted.state).read_text("utf-8")

    assert runs[0].look.found
    assert not re.search(r"Wuhan|Beijing|Lhasa|L0\d{4}", told)
    assert NAMED not in told


def test_metrics_are_in_the_exposition_format(drifted: Place, runs: list[Monitored]) -> None:
    """Every line is a comment or a sample, every family is declared once, and the findings are counted."""
    lines = metrics_file(drifted.state).read_text("utf-8").splitlines()
    sample = re.compile(r'^[a-z_]+\{([a-z_]+="(\\.|[^"\\\n])*",?)+\} -?[0-9.e+-]+$')

    assert all(line.startswith(("# HELP ", "# TYPE ")) or sample.match(line) for line in lines)
    types = [line for line in lines if line.startswith("# TYPE")]
    assert len(types) == len(set(types))
    missing = sum(each.kind == "missing" for each in runs[0].look.found)
    assert f'leadlight_monitor_findings{{target="sale",version="1",kind="missing"}} {float(missing)!r}' in lines


def test_a_finding_that_ends_and_returns_is_told_anew(
    drifted: Place, runs: list[Monitored], receiver: Receiver
) -> None:
    """Once budgets come again it is forgotten; when they are lost once more, there is an alert with another id."""
    assert runs
    sender = Sender(Webhook(receiver.address, SECRET), lambda: 1_700_000_000, lambda _: None)
    before = len(receiver.came)
    live(drifted, World(shift=1.0))
    healed = run(drifted, sender)
    live(drifted, World(shift=1.0, budgets_until=END - 9 * DAY))
    at = END + HOUR

    again = monitor(drifted.site, drifted.catalogue, TARGET, state=drifted.state, now=at, end=END, sender=sender)

    assert "missing" not in {each.kind for each in healed.look.found}
    told = [(headers["webhook-id"], json.loads(body)["data"]["subject"]) for _, headers, body in receiver.came]
    assert again.new
    assert [subject for _, subject in told[before:]] == ["budget"]
    assert told[-1][0] not in {name for name, _ in told[:-1]}


def test_a_second_run_at_once_says_so(copied: Place) -> None:
    """It does not wait and leaves nothing."""
    folder = copied.state / "runs" / "monitor"
    folder.mkdir(parents=True)
    with (folder / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)

        with pytest.raises(SiteError, match="at work"):
            run(copied)

    assert sorted(path.name for path in folder.iterdir()) == ["lock"]


@pytest.mark.parametrize("damage", ['{"tar', "[]", "{}", '{"target": "recall", "version": 1, "now": null}', "\x00"])
def test_another_targets_damaged_record_is_told_and_skipped(
    drifted: Place, runs: list[Monitored], tmp_path: Path, damage: str
) -> None:
    """The metrics are without it, the record of this run is whole, and the file stays for whoever mends it."""
    shutil.copytree(drifted.site.folder, tmp_path / "site")
    site = load_site(tmp_path / "site")
    place = Place(site, drifted.catalogue, site.folder / "state")
    before = metrics_file(place.state).read_text("utf-8")
    path = place.state / "runs" / "monitor" / "recall.latest.json"
    path.write_text(damage, encoding="utf-8")

    found = run(place)

    assert runs
    (said,) = found.skipped
    assert said.startswith(str(path))
    assert "leadlight monitor SITE --target recall" in said
    assert f"note: {said}" in found.lines()
    assert found.to_json()["skipped"] == [said]
    assert metrics_file(place.state).read_text("utf-8").splitlines()[0] == before.splitlines()[0]
    assert path.read_text("utf-8") == damage


def test_a_damaged_record_of_alerts_ends_the_run_before_it_begins(copied: Place, receiver: Receiver) -> None:
    """One fault that names the file; nothing is left, nobody is told."""
    sender = Sender(Webhook(receiver.address, SECRET), lambda: 1_700_000_000, lambda _: None)
    folder = copied.state / "runs" / "monitor"
    folder.mkdir(parents=True)
    (folder / "sale.alerts.json").write_text('{"tar', encoding="utf-8")
    before = len(receiver.came)

    with pytest.raises(SiteError, match=r"sale\.alerts\.json does not say which alerts were sent"):
        run(copied, sender)

    assert sorted(path.name for path in folder.iterdir()) == ["lock", "sale.alerts.json"]
    assert len(receiver.came) == before


@pytest.fixture(scope="module")
def followed(drifted: Place, runs: list[Monitored], tmp_path_factory: pytest.TempPathFactory) -> Followed:
    """A copy of the drifted place, whose champion's offset followed the outcomes, twice."""
    assert runs
    folder = tmp_path_factory.mktemp("followed") / "site"
    shutil.copytree(drifted.site.folder, folder)
    site = load_site(folder)
    place = Place(site, drifted.catalogue, site.folder / "state")
    parent = place.champion
    return Followed(place, parent, follow(place), follow(place))


def follow(place: Place) -> Recalibrated:
    """The offset follows what is known at the end of the 200 days."""
    signer = Signer("cron", END)
    return recalibrate(place.site, place.catalogue, TARGET, state=place.state, now=END, end=END, signer=signer)


def test_the_offset_follows_the_outcomes(followed: Followed) -> None:
    """A risen base rate is made up for nearly whole; the same facts give the same version again."""
    place, parent, first, second = followed

    assert (first.version, first.parent_version) == (2, 1)
    assert second == first
    assert 0.6 < first.offsets[1] < 1.1
    assert first.log_loss_in_sample[1] < first.log_loss_in_sample[0]
    assert sorted(path.name for path in bundle_folder(place.state, TARGET, 1).parent.iterdir()) == [
        "1",
        "1.verdict.json",
        "2",
        "2.card.html",
        "2.card.md",
        "2.verdict.json",
    ]
    assert current_champion(place.state, TARGET) == Champion(1, parent.sha256)
    assert len(list((place.state / "runs" / "recalibrate" / TARGET).iterdir())) == 1


def test_a_week_of_answers_does_not_stop_it(followed: Followed, tmp_path: Path) -> None:
    """None of their outcomes is known yet: the offset goes on following what became of the schedule's leads."""
    shutil.copytree(followed.place.site.folder, tmp_path / "site")
    site = load_site(tmp_path / "site")
    place = Place(site, followed.place.catalogue, site.folder / "state")
    write_answers(place, [each for each in all_answers(place) if each.as_of > END - 9 * DAY])

    again = follow(place)

    assert again == followed.first
    assert again.source == "schedule"


def test_nothing_but_the_offset_has_changed(followed: Followed) -> None:
    """Model parts stay, the manifest names its parent, each lead keeps flag and grade, the golden rows agree."""
    place, parent, first, _ = followed
    child = load_bundle(bundle_folder(place.state, TARGET, 2), expected=first.bundle_sha256)

    origin = replace(parent.manifest.origin, parent=parent.sha256, moved_until=child.manifest.origin.moved_until)
    assert child.manifest.origin == origin
    assert TRAINED < child.manifest.origin.seen_until <= END - 11 * DAY  # the newest row of known outcome
    same = {name for name, of in child.manifest.files.items() if parent.manifest.files[name] == of}
    assert set(child.manifest.files) - same == {"blend.json", "cuts.json", "golden.json", "reference.json"}
    rows = scheduled_rows(place.site, place.catalogue, TARGET, place.state, after=TRAINED, end=END)
    old, new = (bundle.model.score(as_frame(place, rows)) for bundle in (parent, child))
    assert new.raw == pytest.approx(old.raw + first.offsets[1])
    assert [parent.cuts.grade(p) for p in old.probability] == [child.cuts.grade(p) for p in new.probability]
    assert [parent.cuts.flagged(p) for p in old.probability] == [child.cuts.flagged(p) for p in new.probability]
    assert np.all(new.high - new.low > 0)
    check_golden(child)


def test_its_card_says_what_moved_it(followed: Followed) -> None:
    """The card of the recalibrated version names its parent and shows the run's figures and the moved cuts."""
    place, parent, first, _ = followed
    child = load_bundle(bundle_folder(place.state, TARGET, 2), expected=first.bundle_sha256)

    text = verdict_file(place.state, TARGET, 2).with_name("2.card.md").read_text("utf-8")

    card = tables_of(text)
    assert card[""]["recalibrated from"] == [f"version 1, `{parent.sha256}`"]
    assert card["of these leads"] == {
        "log loss, in-sample": [*map(shown, first.log_loss_in_sample)],
        "mean width of the interval": [*map(shown, first.interval_width)],
    }
    assert f"moved from {first.offsets[0]:+.4f} to {first.offsets[1]:+.4f}" in text
    assert f"{first.leads} leads of known outcome since training ({first.source}), {first.converted} of them" in text
    assert card["rule"]["recalibration leads"][1] == str(first.leads)
    assert card["grade"]["A"] == [shown(child.cuts.a)] != [shown(parent.cuts.a)]


def test_it_goes_live_by_promotion_alone(followed: Followed, tmp_path: Path) -> None:
    """Its certificate carries the parent's proofs and its own; promoted, its look finds the base rate in order."""
    shutil.copytree(followed.place.site.folder, tmp_path / "site")
    site = load_site(tmp_path / "site")
    place = Place(site, followed.place.catalogue, site.folder / "state")
    certificate = read_certificate(
        bundle_folder(place.state, TARGET, 2), pinned_key(keys_folder(place.state) / PUBLIC_KEY)
    )
    names = [rule["name"] for rule in certificate.findings["rules"]]
    assert names[:2] == ["precision", "recall"]
    assert {name for name in names if name.startswith("recalibration_")} == {
        rule["name"] for rule in followed.first.rules
    }
    assert certificate.findings["parent"] == followed.parent.sha256
    assert certificate.findings["hashes"]["bundle"] == certificate.bundle_sha256 == followed.first.bundle_sha256
    assert (certificate.findings["by"], certificate.findings["at"]) == ("cron", from_micros(END).isoformat())

    champion = promote(site, TARGET, state=place.state, version=2, decision=Decision(END, "somebody"))
    again = follow(place)
    found = watch(site, place.catalogue, TARGET, state=place.state, now=END, end=END)

    assert champion == current_champion(place.state, TARGET) == Champion(2, followed.first.bundle_sha256)
    assert again.version is None
    assert again.offsets[0] == followed.first.offsets[1]
    assert again.lines()[0].startswith("sale: the offset stays")
    assert "base rate" not in {each.subject for each in found.found}


def test_what_it_was_judged_to_be_moves_along(followed: Followed) -> None:
    """Its level is held to be right with the error of the move, each grade stays as far off it, the slope stays."""
    key = pinned_key(keys_folder(followed.place.state) / PUBLIC_KEY)
    parent, child = (
        AsJudged.read(read_certificate(bundle_folder(followed.place.state, TARGET, version), key).findings[KEY])
        for version in (1, 2)
    )

    verdict = json.loads(verdict_file(followed.place.state, TARGET, 2).read_bytes())

    assert child == parent.followed(followed.first.error)
    assert child.shift == Found(0.0, followed.first.error)
    assert child.slope == parent.slope
    assert AsJudged.read(verdict[KEY]) == child


def edit_certificate(place: Place) -> None:
    """One number of the champion's certificate is another."""
    path = bundle_folder(place.state, TARGET, 1) / "certificate.json"
    path.write_bytes(path.read_bytes().replace(b"0.6", b"0.7"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda place: live(place, World(shift=-8.0)), "too little evidence"),
        (lambda place: site_with(place, "largest_shift = 0.3"), "recalibration_shift"),
        (lambda place: site_with(place, "", operate="threshold = 0.4"), "fixed operate.threshold"),
        (lambda place: champion_file(place.state, TARGET).unlink(), "no champion"),
        (edit_certificate, "not what the gate signed"),
    ],
    ids=["evidence", "shift", "threshold", "champion", "certificate"],
)
def test_what_is_refused_changes_nothing(
    drifted: Place, tmp_path: Path, change: Callable[[Place], None], said: str
) -> None:
    """Too few outcomes, a move too far, a threshold that would flag others, a champion that is none or not genuine."""
    shutil.copytree(drifted.site.folder, tmp_path / "site")
    place = Place(load_site(tmp_path / "site"), drifted.catalogue, tmp_path / "site" / "state")
    change(place)
    shelf = place.state / "bundles" / TARGET
    before = sorted(shelf.iterdir())

    with pytest.raises(SiteError, match=said):
        follow(replace(place, site=load_site(place.site.folder)))

    assert sorted(shelf.iterdir()) == before


def site_with(place: Place, monitor: str, *, operate: str = "flag_share = 0.2") -> None:
    """Other settings."""
    path = place.site.folder / "leadlight.toml"
    path.write_text(path.read_text("utf-8").replace("flag_share = 0.2", operate) + monitor + "\n", encoding="utf-8")
