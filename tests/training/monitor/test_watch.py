"""A whole watch on a small school whose truth is known: what it reads, finds, leaves behind, and does only once."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest

from features.outcomes import outcomes, scheduled_rows
from leadlight.database import open_database
from leadlight.journal import erase_answers
from leadlight.model.certificate import PUBLIC_KEY, pinned_key, read_certificate, signing_key, write_certificate
from leadlight.schema import DAY, HOUR
from leadlight.settings import SiteError, load_site
from leadlight.shelf import bundle_folder, champion_file, keys_folder
from tests.training.monitor.watch_builders import (
    A_DAY,
    END,
    TARGET,
    TRAINED,
    Place,
    World,
    all_answers,
    answer_all,
    made_leads,
    write_answers,
)
from training.as_judged import KEY
from training.monitor.report import lines
from training.monitor.watch import Watch, watch
from training.recalibrate import recalibrate


def look(place: Place) -> Watch:
    """One look at the end of the 200 days."""
    return watch(place.site, place.catalogue, TARGET, state=place.state, now=END, end=END)


@pytest.fixture(scope="module")
def seen(quiet: Place) -> Watch:
    """The look at it."""
    return look(quiet)


def test_where_nothing_changed_nothing_is_found(seen: Watch) -> None:
    """The schedule's own moments stand in for answers, and the look says so."""
    found = seen

    assert found.found == ()
    assert found.advice == []
    assert (found.recent_source, found.mature_source) == ("schedule", "schedule")
    assert found.recent_leads == found.mature_leads == 224
    assert [note.split(" the schedule")[0] for note in found.notes] == ["for inputs and scores", "for outcomes"]
    assert found.calibration is not None
    assert abs(found.calibration.shift) < 3 * found.calibration.shift_error
    assert found.performance is not None
    assert found.performance.leads == 88  # the 11 days of horizon and delay, less a lead whose moment is now
    assert {promise.grade for promise in found.promises} == {"A", "B", "C", "D"}
    assert not any("newcomers" in check.subject for check in found.checks)


def test_answers_are_watched_where_there_are_any(copied: Place, seen: Watch) -> None:
    """Each lead counts by its first answer of a day; locked ones have no number; erased ones are gone."""
    answers = answer_all(copied)
    again = [replace(each, id=f"again-{each.id}", asked_at=each.asked_at + HOUR) for each in answers[-60:-10]]
    locked = [replace(each, id=f"locked-{each.id}", vector=None, probability=None, grade=None) for each in answers[-9:]]
    write_answers(copied, [*again, *locked])
    engine = open_database(copied.site, copied.state)
    erase_answers(engine, [answers[-1].lead_id], at=END)
    engine.dispose()

    found = look(copied)

    assert (found.recent_source, found.mature_source) == ("journal", "journal")
    assert found.recent_leads == 223
    assert found.left_out == {"locked, or with facts of their own": 8, "asked again on the same day": 50}
    assert found.notes == ()
    assert found.calibration == seen.calibration


def test_a_week_of_answers_hides_no_outcome(copied: Place, seen: Watch) -> None:
    """What is asked now is known of 72 leads; what became of leads is still told by the schedule, each counted once."""
    answers = all_answers(copied, explore_probability=0.5, explored=True)
    write_answers(copied, [each for each in answers if each.as_of > END - 9 * DAY])

    found = look(copied)

    assert (found.recent_source, found.recent_leads) == ("journal", 72)
    assert (found.mature_source, found.mature_leads) == ("schedule", 224)
    assert (found.calibration, found.promises) == (seen.calibration, seen.promises)
    (note,) = found.notes
    assert note.startswith("for outcomes the schedule's own moments")
    assert "inputs and scores: 72 leads since 2025-03-25T00:00+00:00 (journal)" in lines(found)
    assert any(line.startswith("outcomes: 224 leads") and line.endswith("(schedule)") for line in lines(found))


@pytest.mark.parametrize("lucky", [False, True])
def test_mature_answers_of_few_conversions_choose_no_rows(copied: Place, seen: Watch, *, lucky: bool) -> None:
    """Fewer than five promised, even if more came: outcomes are the schedule's, shadow and draws the journal's."""
    rows = scheduled_rows(copied.site, copied.catalogue, TARGET, copied.state, after=TRAINED, end=END).to_pylist()
    bought = {row["lead_id"] for row in rows if row["label"]}
    shadow = {"shadow_version": "2", "shadow_bundle_sha256": "f" * 64, "shadow_probability": 0.3}
    answers = all_answers(copied, explore_probability=0.5, explored=True, flagged=False, **shadow)
    ripe = [each for each in answers if END - 39 * DAY < each.as_of <= END - 11 * DAY]
    cold = sorted(ripe, key=lambda each: (each.probability or 0.0, each.id))
    lost = [each for each in cold if each.lead_id not in bought][:60]
    won = [each for each in cold if each.lead_id in bought][: 6 if lucky else 0]
    assert sum(each.probability or 0.0 for each in (*lost, *won)) < 5
    write_answers(copied, [*lost, *won])

    found = look(copied)

    assert (found.mature_source, found.mature_leads) == ("schedule", 224)
    assert found.calibration == seen.calibration
    assert found.challenge is not None
    assert found.corrected is not None
    assert found.challenge.leads == found.corrected.explored == 60 + len(won)


def test_the_site_may_name_the_source(copied: Place) -> None:
    """What it names is taken for everything, however few the answers are; shadow and draws are the journal's anyway."""
    answers = all_answers(copied, explore_probability=0.5, explored=True, flagged=False)
    write_answers(copied, [each for each in answers if each.as_of > END - 20 * DAY])
    path = copied.site.folder / "leadlight.toml"
    text = path.read_text(encoding="utf-8")
    found = {}

    for source in ("journal", "schedule"):
        path.write_text(text.replace("[monitor]", f'[monitor]\nrows = "{source}"'), encoding="utf-8")
        found[source] = look(replace(copied, site=load_site(path.parent)))

    assert [(each.recent_source, each.mature_source) for each in found.values()] == [(name, name) for name in found]
    assert [each.mature_leads for each in found.values()] == [72, 224]
    assert found["schedule"].corrected == found["journal"].corrected
    assert found["schedule"].corrected is not None


def test_what_was_told_is_held_against_what_came(copied: Place) -> None:
    """A promise of 90 % to everybody is broken, whoever the champion is; shadow and explored leads are read too."""
    told = {"probability": 0.9, "grade": "A"}
    shadow = {"shadow_version": "2", "shadow_bundle_sha256": "f" * 64, "shadow_probability": 0.3}
    answer_all(copied, explore_probability=0.5, explored=True, **told, **shadow)

    found = look(copied)

    (promise,) = found.promises
    assert (promise.grade, promise.leads) == ("A", 224)
    assert promise.promised == pytest.approx(0.9)
    assert promise.upper < 0.5
    assert "promise" in {each.kind for each in found.found}
    assert found.challenge is not None
    assert (found.challenge.version, found.challenge.leads) == ("2", 224)
    assert found.challenge.upper < 0
    assert found.corrected is not None
    assert found.corrected.explored + found.corrected.flagged == 224
    assert found.corrected.recall is not None
    written = found.to_json()["corrected"]
    assert written["recall"] == vars(found.corrected.recall)
    said = next(line for line in lines(found) if line.startswith("corrected for who was called"))
    assert f"{written['explored']} explored, {written['explored_converted']} of them converted" in said
    assert "recall {value:.3f} ({lower:.3f} to {upper:.3f})".format(**written["recall"]) in said


def test_exploration_that_found_nothing_yet_says_how_little_it_knows(copied: Place) -> None:
    """Explored leads of which none converted bound recall from below; before any is drawn, it is unknown."""
    rows = scheduled_rows(copied.site, copied.catalogue, TARGET, copied.state, after=TRAINED, end=END).to_pylist()
    lost = {row["lead_id"] for row in rows if not row["label"]}
    answers = all_answers(copied, explore_probability=0.5)
    write_answers(copied, answers)
    undrawn = lines(look(copied))
    drawn = [replace(each, id=f"drawn-{each.id}", asked_at=each.asked_at - 1, explored=True) for each in answers]
    write_answers(copied, [each for each in drawn if not each.flagged and each.lead_id in lost])

    found = look(copied)

    assert next(line for line in undrawn if line.startswith("corrected")).endswith("observed unknown, recall unknown")
    assert found.corrected is not None
    assert found.corrected.recall is not None
    assert (found.corrected.explored_converted, found.corrected.recall.value) == (0, None)
    assert any(line.endswith(f"recall {found.corrected.recall.lower:.3f} to 1.000") for line in lines(found))


def test_labels_are_those_of_training(quiet: Place) -> None:
    """For the moments of the schedule, outcomes asked for by hand are the labels that the schedule has."""
    rows = pa.table({"lead_id": ["L00900", "nobody"], "as_of": pa.array([TRAINED + 20 * DAY] * 2, pa.int64())})

    found = outcomes(quiet.site, TARGET, quiet.state, rows=rows, end=END).to_pylist()

    assert [row["mature"] for row in found] == [True, True]
    assert next(row for row in found if row["lead_id"] == "nobody")["label"] == 0


def test_the_schedule_has_what_was_known_at_each_moment(quiet: Place) -> None:
    """One row a lead a day after it came, with its own past and what everybody did in the seven days closed by then."""
    rows = scheduled_rows(quiet.site, quiet.catalogue, TARGET, quiet.state, after=TRAINED, end=END).to_pylist()

    leads = {each.lead_id: each for each in made_leads(World())}
    assert len(rows) == 100 * A_DAY
    for row in rows:
        lead = leads[row["lead_id"]]
        assert row["as_of"] == lead.created_at + DAY
        assert row["pages"] == sum(event.kind == "page_view" for event in lead.events)
        assert row["newcomers_7d"] == 7 * A_DAY
        bought = [event.at for event in lead.events if event.kind == "buy"]
        assert row["label"] == (bool(bought) and bought[0] < row["as_of"] + 10 * DAY)
        assert row["mature"] == (row["as_of"] + 11 * DAY <= END)


def test_a_column_that_the_target_has_no_more_is_named(copied: Place) -> None:
    """A champion cannot be watched, and its offset cannot follow, without one of its columns: it says which."""
    path = copied.site.folder / "leadlight.toml"
    text = path.read_text(encoding="utf-8").replace('outcome = ["buy"]', 'outcome = ["buy"]\nexclude = ["budget"]')
    path.write_text(text, encoding="utf-8")

    with pytest.raises(SiteError, match=r"columns that 'sale' has no more \(budget\)"):
        look(replace(copied, site=load_site(path.parent)))


def test_the_look_says_what_the_champion_was(quiet: Place, seen: Watch) -> None:
    """What the certificate says of its calibration stands in the look, and beside today's in the words."""
    folder = bundle_folder(quiet.state, TARGET, 1)
    judged = read_certificate(folder, pinned_key(keys_folder(quiet.state) / PUBLIC_KEY)).findings[KEY]

    assert seen.to_json()["as_judged"] == judged
    assert any(f"as judged, on {judged['leads']} leads: off by" in line for line in lines(seen))


def test_a_champion_of_whom_nobody_knows_what_it_was_is_not_watched(copied: Place) -> None:
    """One that was certified before models were watched is one line with what to do, and its offset stays."""
    folder = bundle_folder(copied.state, TARGET, 1)
    genuine = read_certificate(folder, pinned_key(keys_folder(copied.state) / PUBLIC_KEY))
    findings = {name: found for name, found in genuine.findings.items() if name != KEY}
    write_certificate(folder, replace(genuine, findings=findings), key=signing_key(keys_folder(copied.state)))

    with pytest.raises(SiteError, match="trained before models were watched: train and promote again"):
        look(copied)
    with pytest.raises(SiteError, match="how it was judged: train again"):
        recalibrate(copied.site, copied.catalogue, TARGET, state=copied.state, now=END, end=END)


def test_without_a_genuine_champion_nothing_is_watched(copied: Place) -> None:
    """None at all, or one whose certificate was edited, is one line with what to do."""
    certificate = bundle_folder(copied.state, TARGET, 1) / "certificate.json"
    certificate.write_bytes(certificate.read_bytes().replace(b"0.6", b"0.7"))
    with pytest.raises(SiteError, match="not what the gate signed"):
        look(copied)

    champion_file(copied.state, TARGET).unlink()
    with pytest.raises(SiteError, match="train and promote one first"):
        look(copied)
