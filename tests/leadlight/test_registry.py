"""What it takes to become champion, and what no edit of a file can do."""

from __future__ import annotations

import json
import os
import shutil
import socketserver
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from leadlight import registry
from leadlight.grading import Cuts
from leadlight.locking import alone
from leadlight.model.bundle import write_bundle
from leadlight.model.manifest import Origin
from leadlight.registry import promotion
from leadlight.registry.mlflow_client import PATIENCE
from leadlight.registry.terms import Action, Term, line_of_champions, terms
from leadlight.settings import Site, SiteError
from leadlight.shelf import (
    Champion,
    bundle_folder,
    champion_file,
    current_challenger,
    current_champion,
    last_trained,
    verdict_file,
    write_json,
)
from tests import builders
from training.fit import fit
from training.gate import Outcome, Rule, State, Verdict, certify
from training.tracking import Record, track

TARGET = "first_order"
T0 = 1_760_000_000_000_000
DECISION = registry.Decision(at=T0, by="wang")
CUTS = Cuts(threshold=0.3, a=0.5, b=0.4, c=0.2, quantiles=(0.1,) * 101)


class Shelf(NamedTuple):
    """A site and the state folder of its versions."""

    site: Site
    state: Path


def shelve(shelf: Shelf, *, proven: float = 0.35, verdict: Outcome = "promote", seed: int = 1) -> str:
    """One more tracked version whose precision was proven to that bound, certified if its verdict says so."""
    files = shelf.state / f"new-{seed}"
    rows = pd.DataFrame({"visits": np.arange(20, dtype=np.float64), "city": pd.Series(["Wuhan"] * 20, dtype=object)})
    labels = (np.arange(20) % 4 == 0).astype(np.int8)
    fitted = fit(
        rows,
        labels,
        np.arange(20, dtype=np.int64),
        horizon=1,
        groups={"visits": "v", "city": "c"},
        seed=seed,
        workers=1,
    )
    origin = Origin(TARGET, shelf.site.targets[TARGET].question, "c" * 64, "d" * 64, seed, 20, 5, 19)
    sha256 = write_bundle(files / "bundle", fitted.model, origin=origin, cuts=CUTS, rows=rows, reference={})
    state: State = "pass" if verdict == "promote" else "unsure"
    rules = [
        Rule("precision", 0.4, proven, 0.5, 0.3, state, "40 of 100 rows"),
        Rule("recall", 0.5, 0.4, 0.6, 0.2, "pass", ""),
    ]
    serving = current_champion(shelf.state, TARGET)
    found = Verdict(verdict, tuple(rules), 1, 0.05, champion=serving.bundle_sha256 if serving else None)
    certify(found, bundle=files / "bundle", bundle_sha256=sha256, target_name=TARGET, state=shelf.state)
    run_id = track(shelf.site, TARGET, Record("a version", {}, {}, {}, (), files), state=shelf.state)
    version = registry.register(shelf.site, TARGET, state=shelf.state, run_id=run_id, bundle_sha256=sha256)
    (shelf.state / "bundles" / TARGET).mkdir(parents=True, exist_ok=True)
    (files / "bundle").rename(bundle_folder(shelf.state, TARGET, version))
    write_json(verdict_file(shelf.state, TARGET, version), found.to_json())
    return sha256


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """Versions 1 (promote) and 2 (not enough evidence) of the small site's first target."""
    shelf = Shelf(builders.site(), tmp_path_factory.mktemp("registry") / "state")
    shelve(shelf, seed=1)
    shelve(shelf, seed=2, verdict="not_enough_evidence", proven=0.25)
    return shelf


@pytest.fixture
def shelf(made: Shelf, tmp_path: Path) -> Shelf:
    """A copy of those versions to break."""
    shutil.copytree(made.state, tmp_path / "state")
    return made._replace(state=tmp_path / "state")


def alias(shelf: Shelf) -> int:
    """The version that MLflow's alias names."""
    client = registry.mlflow_client(shelf.site, shelf.state)
    return int(client.get_model_version_by_alias("tiny-first_order", "champion").version)


def test_a_candidate_never_held_against_the_champion_is_refused(shelf: Shelf) -> None:
    """Two versions judged before either served: once one serves, the other must be trained and judged again."""
    shelve(shelf, seed=3)
    registry.promote(shelf.site, TARGET, state=shelf.state, version=1, decision=DECISION)

    with pytest.raises(SiteError, match="judged against champion none, now it is version 1"):
        registry.promote(shelf.site, TARGET, state=shelf.state, decision=DECISION)


def test_promote_moves_the_alias_and_the_file(shelf: Shelf) -> None:
    """Afterwards MLflow and the champion file name the version; promoting the same again changes nothing."""
    assert current_champion(shelf.state, TARGET) is None

    champion = registry.promote(shelf.site, TARGET, state=shelf.state, version=1, decision=DECISION)

    assert champion.version == alias(shelf) == 1
    assert current_champion(shelf.state, TARGET) == champion
    assert registry.promote(shelf.site, TARGET, state=shelf.state, version=1, decision=DECISION) == champion
    names = sorted(path.name for path in (shelf.state / "champion").iterdir())
    assert names == [f"{TARGET}.json", f"{TARGET}.terms.jsonl"]
    assert [(term.action, term.version, term.by) for term in terms(shelf.state, TARGET)] == [("promote", 1, "wang")]


def test_the_last_trained_version_is_the_default(shelf: Shelf) -> None:
    """Without a number the newest version is asked for: here one whose verdict is another, refused rule by rule."""
    with pytest.raises(SiteError) as refused:
        registry.promote(shelf.site, TARGET, state=shelf.state, decision=DECISION)

    assert refused.value.faults == (
        "version 2 may not be promoted, the gate's verdict is not_enough_evidence",
        "precision: unsure: value 0.4, lower 0.25, upper 0.5, threshold 0.3; 40 of 100 rows",
    )


def test_the_newest_is_the_highest_number_not_the_last_name(tmp_path: Path) -> None:
    """Version 10 comes after version 9."""
    for version in (1, 9, 10):
        bundle_folder(tmp_path, TARGET, version).mkdir(parents=True)
    write_json(verdict_file(tmp_path, TARGET, 11), {})

    assert last_trained(tmp_path, TARGET) == 10


def forge_verdict(shelf: Shelf) -> None:
    """Write promote over the verdict of version 2."""
    path = verdict_file(shelf.state, TARGET, 2)
    path.write_text(path.read_text(encoding="utf-8").replace("not_enough_evidence", "promote"), encoding="utf-8")


def borrow_certificate(shelf: Shelf) -> None:
    """Lay the certificate of version 1 beside version 2."""
    forge_verdict(shelf)
    for version in (1, 2):
        folder = bundle_folder(shelf.state, TARGET, version)
        if version == 1:
            content = (folder / "certificate.json").read_bytes()
        else:
            (folder / "certificate.json").write_bytes(content)


def edit_certificate(shelf: Shelf) -> None:
    """Name version 2's bundle in version 1's certificate."""
    borrow_certificate(shelf)
    hashes = [
        registry.mlflow_client(shelf.site, shelf.state)
        .get_model_version("tiny-first_order", str(version))
        .tags["bundle_sha256"]
        for version in (1, 2)
    ]
    path = bundle_folder(shelf.state, TARGET, 2) / "certificate.json"
    path.write_text(path.read_text(encoding="ascii").replace(hashes[0], hashes[1]), encoding="ascii")


def remove_verdict(shelf: Shelf) -> None:
    """Take the verdict of version 2 away."""
    verdict_file(shelf.state, TARGET, 2).unlink()


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (forge_verdict, "certificate.json is missing"),
        (borrow_certificate, "the certificate names bundle"),
        (edit_certificate, "is not what the gate signed"),
        (remove_verdict, "has no verdict"),
    ],
)
def test_no_edit_makes_an_unproven_version_champion(shelf: Shelf, edit: Callable[[Shelf], None], reason: str) -> None:
    """Whatever is edited, borrowed or removed, promote refuses and names the reason; nothing moves."""
    edit(shelf)

    with pytest.raises(SiteError, match=reason):
        registry.promote(shelf.site, TARGET, state=shelf.state, version=2, decision=DECISION)

    assert current_champion(shelf.state, TARGET) is None


def test_a_bundle_changed_after_the_gate_is_refused(shelf: Shelf) -> None:
    """One altered byte in a certified bundle and it is not loaded."""
    path = bundle_folder(shelf.state, TARGET, 1) / "blend.json"
    path.write_bytes(path.read_bytes().replace(b'"offset":', b'"offset" :'))

    with pytest.raises(SiteError, match=r"blend.json"):
        registry.promote(shelf.site, TARGET, state=shelf.state, version=1, decision=DECISION)

    assert current_champion(shelf.state, TARGET) is None


def test_todays_thresholds_count(shelf: Shelf) -> None:
    """A certificate from before the thresholds were raised, or before one was added, is not enough."""
    targets = {
        TARGET: {
            **builders.site().targets[TARGET].model_dump(include={"outcome"}),
            "horizon": "30d",
            "observe": {"offsets": ["7d"]},
            "gate": {"precision": 0.36, "recall": 0.2, "auc": 0.6},
        }
    }

    with pytest.raises(SiteError) as refused:
        registry.promote(builders.site(targets=targets), TARGET, state=shelf.state, version=1, decision=DECISION)

    assert [fault.split(":")[0] for fault in refused.value.faults] == ["precision", "auc"]
    assert "asks for 0.36, this version is proven to 0.35" in refused.value.faults[0]


def test_a_version_mlflow_does_not_know_is_refused(shelf: Shelf) -> None:
    """A folder copied onto the shelf is no version."""
    shutil.copytree(bundle_folder(shelf.state, TARGET, 1), bundle_folder(shelf.state, TARGET, 3))
    shutil.copy(verdict_file(shelf.state, TARGET, 1), verdict_file(shelf.state, TARGET, 3))

    with pytest.raises(SiteError, match="MLflow does not know version 3"):
        registry.promote(shelf.site, TARGET, state=shelf.state, decision=DECISION)


def test_a_damaged_champion_file_is_named(tmp_path: Path) -> None:
    """It is neither no champion nor a traceback."""
    champion_file(tmp_path, TARGET).parent.mkdir()
    champion_file(tmp_path, TARGET).write_text("{", encoding="utf-8")

    with pytest.raises(SiteError, match="does not name a version"):
        current_champion(tmp_path, TARGET)


def test_without_a_version_promote_says_what_to_do(tmp_path: Path) -> None:
    """An untrained target is one line, not a traceback."""
    with pytest.raises(SiteError, match="run `leadlight train"):
        registry.promote(builders.site(), TARGET, state=tmp_path, decision=DECISION)


def test_reading_the_champion_costs_no_mlflow(tmp_path: Path) -> None:
    """The server asks the registry for its champion without mlflow, shap or LightGBM."""
    write_json(champion_file(tmp_path, TARGET), {"version": 3, "bundle_sha256": "ff"})
    script = (
        "import sys; from pathlib import Path; from leadlight.shelf import current_champion;"
        f"print(current_champion(Path({str(tmp_path)!r}), {TARGET!r}));"
        "print({'lightgbm', 'mlflow', 'shap'} & set(sys.modules))"
    )

    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout

    assert answer.splitlines() == [str(Champion(3, "ff")), "set()"]


def test_rollback_lets_the_one_before_serve_again(shelf: Shelf) -> None:
    """Back from 3 to 1, with the record of it; MLflow's alias follows; there is nothing before the first."""
    registry.promote(shelf.site, TARGET, state=shelf.state, version=1, decision=DECISION)
    shelve(shelf, seed=3)
    registry.promote(shelf.site, TARGET, state=shelf.state, decision=DECISION)

    back = registry.rollback(shelf.site, TARGET, state=shelf.state, decision=registry.Decision(T0 + 1, "li"))

    assert back.version == alias(shelf) == 1
    assert current_champion(shelf.state, TARGET) == back
    assert [(term.action, term.version) for term in terms(shelf.state, TARGET)] == [
        ("promote", 1),
        ("promote", 3),
        ("rollback", 1),
    ]
    with pytest.raises(SiteError, match="nothing to go back to"):
        registry.rollback(shelf.site, TARGET, state=shelf.state, decision=DECISION)
    with pytest.raises(SiteError, match="version 3 was not champion before today's"):
        registry.rollback(shelf.site, TARGET, state=shelf.state, version=3, decision=DECISION)


class Silent(socketserver.ThreadingTCPServer):
    """A tracking server that takes every connection and never answers, until it ends."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        self.asked, self.ends, self.times = threading.Event(), threading.Event(), 0
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)

    def finish_request(self, request: object, client_address: object) -> None:
        assert request, client_address
        self.times += 1
        self.asked.set()
        self.ends.wait(60)


@pytest.fixture
def silent() -> Iterator[Silent]:
    with Silent() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.ends.set()
        server.shutdown()


def tracked_at(shelf: Shelf, address: str) -> Shelf:
    """The same shelf with its records on another MLflow."""
    return shelf._replace(site=builders.site(stores={"tracking": address}))


def champions(shelf: Shelf, *others: int) -> None:
    """Version 1 champion, then each of these, newly trained and held against the one before."""
    registry.promote(shelf.site, TARGET, state=shelf.state, version=1, decision=DECISION)
    for seed in others:
        shelve(shelf, seed=seed)
        registry.promote(shelf.site, TARGET, state=shelf.state, decision=DECISION)


def faults_of(decide: Callable[[], object]) -> list[str]:
    """What is refused, if anything."""
    try:
        decide()
    except SiteError as error:
        return list(error.faults)
    return []


def test_other_decisions_do_not_wait_for_a_rollback_to_be_recorded(
    shelf: Shelf, silent: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While MLflow does not answer, the champion has moved and the next decision is made; then the rollback stands."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    champions(shelf, 3)
    away = tracked_at(shelf, f"http://127.0.0.1:{silent.server_address[1]}")
    state, told, next_told = shelf.state, list[str](), list[str]()
    back = threading.Thread(
        target=lambda: told.extend(
            faults_of(lambda: registry.rollback(away.site, TARGET, state=state, decision=DECISION))
        )
    )
    following = threading.Thread(
        target=lambda: next_told.extend(
            faults_of(lambda: promotion.withdraw(away.site, TARGET, state=state, decision=DECISION))
        )
    )

    back.start()
    assert silent.asked.wait(60)
    following.start()
    following.join(8)
    serving, decided = current_champion(state, TARGET), list(next_told)
    silent.ends.set()
    back.join(60)
    following.join(60)

    assert decided == [f"target {TARGET!r} has no challenger"]
    assert serving is not None
    assert serving.version == 1
    assert told[0] == "version 1 serves again, but MLflow does not know yet: `leadlight promote SITE 1` tells it"


def test_a_tracking_server_that_is_away_is_asked_three_times(
    shelf: Shelf, silent: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few tries with a deadline each; the environment's own settings are kept."""
    for name in PATIENCE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    away = tracked_at(shelf, f"http://127.0.0.1:{silent.server_address[1]}")

    with pytest.raises(SiteError, match="MLflow did not do its part"):
        registry.promote(away.site, TARGET, state=shelf.state, version=1, decision=DECISION)

    assert silent.times == 3
    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "1"
    assert current_champion(shelf.state, TARGET) is None
    monkeypatch.delenv("MLFLOW_HTTP_REQUEST_TIMEOUT")
    registry.mlflow_client(away.site, shelf.state)
    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "10"


def test_a_tracking_database_that_is_away_is_told_of_at_once(tmp_path: Path) -> None:
    """It is not tried ten times over, as MLflow would."""
    with pytest.raises(SiteError, match="MLflow did not do its part"):
        registry.mlflow_client(builders.site(stores={"tracking": "postgresql://nobody@127.0.0.1:9/none"}), tmp_path)


def test_a_decision_that_waits_for_another_says_so(shelf: Shelf, caplog: pytest.LogCaptureFixture) -> None:
    """At once, and goes on when the other is done."""
    told: list[str] = []
    lock = bundle_folder(shelf.state, TARGET, 1).with_name("lock")
    waiting = threading.Thread(
        target=lambda: told.extend(
            faults_of(lambda: promotion.withdraw(shelf.site, TARGET, state=shelf.state, decision=DECISION))
        )
    )

    with alone(lock):
        waiting.start()
        waiting.join(1)
        said, so_far = caplog.messages, list(told)
    waiting.join(60)

    assert said == [f"another decision about {TARGET} is at work, waiting"]
    assert so_far == []
    assert told == [f"target {TARGET!r} has no challenger"]


def test_mlflow_is_told_of_whoever_serves_when_it_is_told(shelf: Shelf) -> None:
    """Two rollbacks whose records wait for one another: whichever is told last, the alias is the champion's."""
    champions(shelf, 3, 4)
    lock = bundle_folder(shelf.state, TARGET, 1).with_name("alias.lock")

    def go_back(version: int) -> threading.Thread:
        thread = threading.Thread(
            target=registry.rollback,
            args=(shelf.site, TARGET),
            kwargs={"state": shelf.state, "version": version, "decision": DECISION},
        )
        thread.start()
        while (serving := current_champion(shelf.state, TARGET)) is None or serving.version != version:
            thread.join(0.01)
        return thread

    with alone(lock):
        both = [go_back(3), go_back(1)]
        so_far = alias(shelf)
    for each in both:
        each.join()

    assert so_far == 4
    assert alias(shelf) == 1
    assert [(term.action, term.version) for term in terms(shelf.state, TARGET)[-2:]] == [
        ("rollback", 3),
        ("rollback", 1),
    ]


def test_of_two_promotions_at_once_the_second_is_held_against_the_first(shelf: Shelf) -> None:
    """Both were judged when nobody served: one becomes champion, the other is told to be judged against it."""
    shelve(shelf, seed=3)
    refused: list[tuple[str, ...]] = []

    def decide(version: int) -> None:
        try:
            registry.promote(shelf.site, TARGET, state=shelf.state, version=version, decision=DECISION)
        except SiteError as error:
            refused.append(error.faults)

    both = [threading.Thread(target=decide, args=(version,)) for version in (1, 3)]
    for each in both:
        each.start()
    for each in both:
        each.join()

    champion = current_champion(shelf.state, TARGET)
    assert champion is not None
    assert refused == [(f"judged against champion none, now it is version {champion.version}: train again",)]
    assert [term.version for term in terms(shelf.state, TARGET)] == [champion.version] == [alias(shelf)]


@pytest.mark.proof
def test_a_challenger_that_serves_again_is_one_no_more(shelf: Shelf) -> None:
    """A rollback to the version in the shadow leaves nobody there: a champion has no shadow of itself."""
    registry.promote(shelf.site, TARGET, state=shelf.state, version=1, decision=DECISION)
    shelve(shelf, seed=3)
    registry.promote(shelf.site, TARGET, state=shelf.state, decision=DECISION)
    registry.challenge(shelf.site, TARGET, state=shelf.state, version=1, decision=DECISION)

    back = registry.rollback(shelf.site, TARGET, state=shelf.state, decision=DECISION)

    assert current_champion(shelf.state, TARGET) == back
    assert current_challenger(shelf.state, TARGET) is None
    actions = [(term.action, term.version) for term in terms(shelf.state, TARGET)[-2:]]
    assert actions == [("rollback", 1), ("withdraw", 1)]
    model = registry.mlflow_client(shelf.site, shelf.state).get_registered_model("tiny-first_order")
    assert {name: int(version) for name, version in model.aliases.items()} == {"champion": 1}


@pytest.mark.proof
def test_what_mlflow_cannot_do_is_a_fault_and_a_rollback_stands(shelf: Shelf) -> None:
    """With a damaged record nothing is promoted; a rollback serves all the same, and says what is left to do."""
    registry.promote(shelf.site, TARGET, state=shelf.state, version=1, decision=DECISION)
    shelve(shelf, seed=3)
    registry.promote(shelf.site, TARGET, state=shelf.state, decision=DECISION)
    moved = shelf._replace(state=shelf.state.with_name("damaged"))
    shutil.copytree(shelf.state, moved.state)
    (moved.state / "mlflow" / "mlflow.db").write_bytes(b"no database at all, but long enough to be read as one" * 99)

    with pytest.raises(SiteError, match="MLflow did not do its part"):
        registry.promote(moved.site, TARGET, state=moved.state, version=3, decision=DECISION)
    with pytest.raises(SiteError, match="version 1 serves again, but MLflow does not know yet"):
        registry.rollback(moved.site, TARGET, state=moved.state, decision=DECISION)

    champion = current_champion(moved.state, TARGET)
    assert champion is not None
    assert champion.version == 1


def test_a_refusal_says_how_much_more_evidence_is_needed(shelf: Shelf) -> None:
    """Beside the numbers of the rule that stands in the way; a verdict that is none is named."""
    path = verdict_file(shelf.state, TARGET, 2)
    verdict = json.loads(path.read_bytes())
    write_json(path, {**verdict, "rules": [{**verdict["rules"][0], "needed": 1234, "unit": "flagged leads"}]})

    with pytest.raises(SiteError) as refused:
        registry.promote(shelf.site, TARGET, state=shelf.state, decision=DECISION)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(SiteError, match="is not a verdict"):
        registry.promote(shelf.site, TARGET, state=shelf.state, decision=DECISION)
    with pytest.raises(SiteError, match="is damaged"):
        registry.versions(shelf.state, TARGET)

    assert refused.value.faults[1].endswith("40 of 100 rows; about 1,234 more flagged leads would settle it")


def test_rollback_takes_no_version_that_lost_its_certificate(shelf: Shelf) -> None:
    """What may not be promoted may not come back either, and the champion stays."""
    registry.promote(shelf.site, TARGET, state=shelf.state, version=1, decision=DECISION)
    shelve(shelf, seed=3)
    now = registry.promote(shelf.site, TARGET, state=shelf.state, decision=DECISION)
    (bundle_folder(shelf.state, TARGET, 1) / "certificate.json").unlink()

    with pytest.raises(SiteError, match=r"certificate\.json is missing"):
        registry.rollback(shelf.site, TARGET, state=shelf.state, decision=DECISION)

    assert current_champion(shelf.state, TARGET) == now


def test_a_rollback_imports_no_mlflow_before_the_champion_has_changed(shelf: Shelf) -> None:
    """What serves changes at once: the slow record comes after it, and if that fails the champion stands."""
    registry.promote(shelf.site, TARGET, state=shelf.state, version=1, decision=DECISION)
    shelve(shelf, seed=3)
    registry.promote(shelf.site, TARGET, state=shelf.state, decision=DECISION)
    script = (
        "import sys; from pathlib import Path; from leadlight import registry; from tests import builders;"
        "sys.modules['mlflow'] = None;"  # an import of it fails
        f"registry.rollback(builders.site(), {TARGET!r}, state=Path({str(shelf.state)!r}),"
        " decision=registry.Decision(1, 'li'))"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert "mlflow" in done.stderr
    champion = current_champion(shelf.state, TARGET)
    assert champion is not None
    assert champion.version == 1


@pytest.mark.proof
def test_a_challenger_needs_a_certificate_and_is_one_until_it_is_promoted(shelf: Shelf) -> None:
    """Not held against the champion it may score in its shadow; a version without a certificate may not."""
    shelve(shelf, seed=3)
    registry.promote(shelf.site, TARGET, state=shelf.state, version=1, decision=DECISION)

    named = registry.challenge(shelf.site, TARGET, state=shelf.state, decision=DECISION)

    assert named.version == 3
    assert current_challenger(shelf.state, TARGET) == named
    with pytest.raises(SiteError, match="may not be promoted"):
        registry.challenge(shelf.site, TARGET, state=shelf.state, version=2, decision=DECISION)
    with pytest.raises(SiteError, match="version 1 is the champion"):
        registry.challenge(shelf.site, TARGET, state=shelf.state, version=1, decision=DECISION)
    shelve(shelf, seed=4)
    registry.challenge(shelf.site, TARGET, state=shelf.state, version=4, decision=DECISION)
    registry.promote(shelf.site, TARGET, state=shelf.state, version=4, decision=DECISION)
    assert current_challenger(shelf.state, TARGET) is None


def test_history_tells_every_version_and_decision(shelf: Shelf) -> None:
    """Newest first, with verdict, and who decided what when."""
    registry.promote(shelf.site, TARGET, state=shelf.state, version=1, decision=DECISION)

    second, first = registry.versions(shelf.state, TARGET)

    assert (second.version, second.verdict, second.serves) == (2, "not_enough_evidence", None)
    assert (first.version, first.verdict, first.serves) == (1, "promote", "champion")
    assert [(term["action"], term["by"]) for term in first.terms] == [("promote", "wang")]
    assert first.rows == 20


@pytest.mark.parametrize(
    ("decided", "line"),
    [
        ([], []),
        ([("promote", 1), ("promote", 2)], [1, 2]),
        ([("promote", 1), ("promote", 2), ("rollback", 1)], [1]),
        ([("promote", 1), ("promote", 2), ("promote", 3), ("rollback", 1), ("promote", 3)], [1, 3]),
        ([("promote", 1), ("challenge", 2), ("withdraw", 2)], [1]),
        ([("promote", 1), ("promote", 2), ("promote", 1)], [1, 2, 1]),
    ],
)
def test_who_led_to_todays_champion(decided: list[tuple[Action, int]], line: list[int]) -> None:
    """Promotions lengthen the line, a rollback cuts it, the shadow is not in it."""
    record = [Term(place, "wang", action, version, "ff") for place, (action, version) in enumerate(decided)]

    assert [term.version for term in line_of_champions(record)] == line
