"""A rollback is quick: whoever served before is at hand, checked again, and waits for no child process."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from leadlight.model.bundle import Bundle
from leadlight.registry.terms import Action, Term, note
from leadlight.shelf import Champion as Named
from leadlight.shelf import bundle_folder, champion_file, current_champion, write_json
from serving.challenger import Challengers
from serving.champion import Champions
from serving.problems import Problem
from serving.proven import Proven
from tests.serving.journal_builders import TARGET, another_version, challenge, copied
from tests.serving.serving_builders import School


class Counting(Proven):
    """Proven bundles, and which of them were asked for."""

    def __init__(self, room: int = 3) -> None:
        super().__init__(room)
        self.asked: list[str] = []

    def load(self, folder: Path, sha256: str) -> Bundle:
        self.asked.append(sha256)
        return super().load(folder, sha256)


@pytest.fixture
def own(school: School, tmp_path: Path) -> School:
    """A school of one's own, with a second version."""
    return copied(school, tmp_path)


def let_serve(school: School, named: Named, action: Action = "promote") -> None:
    """Name the champion as the commands do: in the record, then in the file."""
    note(school.state, TARGET, Term(1, "me", action, named.version, named.bundle_sha256))
    write_json(champion_file(school.state, TARGET), asdict(named))


def break_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """No child process can begin any more."""
    monkeypatch.setattr("sys.executable", "/nowhere/python")


def test_whoever_served_before_serves_again_without_a_child(own: School, monkeypatch: pytest.MonkeyPatch) -> None:
    """From 1 to 2 and back: no process checks what this server served already; its files are looked at all the same."""
    first, second = _first(own), another_version(own, 2, by=0.5)
    let_serve(own, first)
    champions = Champions(own.site, own.catalogue, own.state)
    champions.refresh()
    let_serve(own, second)
    champions.refresh()
    served = [champions.get(TARGET).version]

    break_child(monkeypatch)
    let_serve(own, first, "rollback")
    champions.refresh()
    served.append(champions.get(TARGET).version)
    altered = bundle_folder(own.state, TARGET, 2) / "linear.json"
    altered.write_bytes(altered.read_bytes()[:-1] + b" ")
    let_serve(own, second)
    champions.refresh()

    assert served == ["2", "1"]
    with pytest.raises(Problem, match="was altered"):
        champions.get(TARGET)


def test_after_a_restart_the_champion_before_is_at_hand_too(own: School, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that never served version 1 has it ready once it stood by, which it does once for a champion."""
    first, second = _first(own), another_version(own, 2, by=0.5)
    let_serve(own, first)
    let_serve(own, second)
    proven = Counting()
    champions = Champions(own.site, own.catalogue, own.state, proven)
    champions.refresh()
    for _ in range(3):
        champions.stand_by()
    asked = list(proven.asked)

    break_child(monkeypatch)
    let_serve(own, first, "rollback")
    champions.refresh()

    assert asked == [second.bundle_sha256, first.bundle_sha256]
    assert champions.get(TARGET).version == "1"


def test_a_challenger_that_is_promoted_serves_at_once(own: School, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has been scoring in the shadow, so it is at hand; that the champion before it is gone holds up nobody."""
    proven = Proven()
    champions = Champions(own.site, own.catalogue, own.state, proven)
    challengers = Challengers(own.site, own.catalogue, own.state, proven)
    second = challenge(own, 2)
    challengers.refresh()

    break_child(monkeypatch)
    let_serve(own, Named(7, "0" * 64))
    let_serve(own, second)
    champions.refresh()
    champions.stand_by()

    assert champions.get(TARGET).version == "2"


def test_a_bundle_without_room_is_proven_again(own: School, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only so many are at hand."""
    first, proven = _first(own), Proven(room=0)
    folder = bundle_folder(own.state, TARGET, 1)
    found = proven.load(folder, first.bundle_sha256)

    break_child(monkeypatch)

    assert found.sha256 == first.bundle_sha256
    with pytest.raises(FileNotFoundError):
        proven.load(folder, first.bundle_sha256)


def test_a_child_that_was_too_slow_is_asked_again(own: School, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that was too busy once leaves no target without a champion for ever."""
    champions = Champions(own.site, own.catalogue, own.state)
    with monkeypatch.context() as busy:
        busy.setattr("leadlight.model.verify.PATIENCE_SECONDS", 0.01)
        champions.refresh()
    with pytest.raises(Problem, match="too busy"):
        champions.get(TARGET)

    champions.refresh()

    assert champions.get(TARGET).version == "1"


def _first(school: School) -> Named:
    named = current_champion(school.state, TARGET)
    assert named is not None
    return named
