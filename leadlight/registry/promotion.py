"""The ways to become champion: promoted with the gate's certificate, or rolled back to what served before.

The server reads the shelf's champion file alone, and checks the certificate itself; MLflow's aliases ``champion`` and
``challenger`` are the record of it.

Two locks for each target. ``lock`` is held by a decision. ``alias.lock`` is held by whoever moves an alias, until the
file that it is the record of has moved too, or is read: so both end on the same version, in whatever order decisions
and what is told of them come.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from leadlight.locking import alone
from leadlight.model.certificate import PUBLIC_KEY, Certificate, pinned_key, read_certificate, shortfalls
from leadlight.model.manifest import read_checked
from leadlight.registry.mlflow_client import CHALLENGER, CHAMPION, check_known, drop_alias, move_alias
from leadlight.registry.terms import Action, Decision, Term, line_of_champions, note, terms
from leadlight.settings import Site, SiteError
from leadlight.shelf import (
    Champion,
    bundle_folder,
    challenger_file,
    champion_file,
    current_challenger,
    current_champion,
    keys_folder,
    last_trained,
    verdict_file,
    write_json,
)

_log = logging.getLogger("leadlight.registry")


def promote(site: Site, target_name: str, *, state: Path, decision: Decision, version: int | None = None) -> Champion:
    """Make ``version`` (the last trained by default) champion; a ``SiteError`` lists every reason why it may not be.

    It may be if the gate's certificate is genuine, is about this very bundle, covers today's thresholds, and if the
    gate held it against the champion of today. A challenger that is promoted is a challenger no more.
    """
    with _alone(state, target_name):
        version = last_trained(state, target_name) if version is None else version
        named = _certified(site, target_name, version, state=state, against_champion=True)
        _verified(site, target_name, named, state=state)
        with _record(state, target_name):
            move_alias(site, target_name, CHAMPION, version, state=state)
            _let_serve(state, target_name, named, decision, "promote")
            if current_challenger(state, target_name) == named:
                drop_alias(site, target_name, CHALLENGER, state=state)
                _leave_the_shadow(state, target_name, named, decision)
    return named


def challenge(site: Site, target_name: str, *, state: Path, decision: Decision, version: int | None = None) -> Champion:
    """Let ``version`` score in the champion's shadow: its answers are kept and compared, and nobody is told them.

    It needs the gate's certificate as a champion does, but need not have been held against today's champion.
    """
    with _alone(state, target_name):
        version = last_trained(state, target_name) if version is None else version
        named = _certified(site, target_name, version, state=state, against_champion=False)
        if named == current_champion(state, target_name):
            raise SiteError([f"version {version} is the champion: a challenger is another version"])
        _verified(site, target_name, named, state=state)
        with _record(state, target_name):
            move_alias(site, target_name, CHALLENGER, version, state=state)
            if current_challenger(state, target_name) != named:
                _note(state, target_name, named, decision, "challenge")
            write_json(challenger_file(state, target_name), asdict(named))
    return named


def withdraw(site: Site, target_name: str, *, state: Path, decision: Decision) -> Champion:
    """Let nobody score in the champion's shadow; the version that did so. Without one it is a ``SiteError``.

    The file goes last: whatever hinders this half way, the same command ends it.
    """
    with _alone(state, target_name):
        named = current_challenger(state, target_name)
        if named is None:
            raise SiteError([f"target {target_name!r} has no challenger"])
        with _record(state, target_name):
            drop_alias(site, target_name, CHALLENGER, state=state)
            _leave_the_shadow(state, target_name, named, decision)
    return named


def rollback(site: Site, target_name: str, *, state: Path, decision: Decision, version: int | None = None) -> Champion:
    """Let ``version`` serve again, by default the champion before this one; it must have been champion before.

    The champion file moves first, and MLflow's aliases after it, when other decisions may be made again: MLflow is told
    of whoever serves by then. If it cannot be, the ``SiteError`` says that the rollback stands. A certificate that is
    not genuine or covers less than ``leadlight.toml`` asks for today is refused, as the server would refuse it. A
    challenger that serves again is a challenger no more.
    """
    with _alone(state, target_name):
        line = line_of_champions(terms(state, target_name))
        before = [term.version for term in line[:-1]]
        if version is None and not before:
            raise SiteError([f"target {target_name!r} had no champion before this one: there is nothing to go back to"])
        version = before[-1] if version is None else version
        if version not in before:
            allowed = ", ".join(map(str, dict.fromkeys(before))) or "none"
            raise SiteError([f"version {version} was not champion before today's: one of these was: {allowed}"])
        named = _certified(site, target_name, version, state=state, against_champion=False)
        _let_serve(state, target_name, named, decision, "rollback")
        challenged = current_challenger(state, target_name) == named
        if challenged:
            _leave_the_shadow(state, target_name, named, decision)
    _tell_mlflow(site, target_name, state=state, unshadowed=challenged)
    return named


def _tell_mlflow(site: Site, target_name: str, *, state: Path, unshadowed: bool) -> None:
    """Let MLflow's aliases say what the files say, for a decision that is made already."""
    with _record(state, target_name):
        serving = current_champion(state, target_name)
        if serving is None:  # somebody has taken the file away since
            return
        try:
            move_alias(site, target_name, CHAMPION, serving.version, state=state)
            if unshadowed and current_challenger(state, target_name) is None:
                drop_alias(site, target_name, CHALLENGER, state=state)
        except SiteError as error:
            todo = f"`leadlight promote SITE {serving.version}` tells it"
            stands = f"version {serving.version} serves again, but MLflow does not know yet: {todo}"
            raise SiteError([stands, *error.faults]) from error


@contextmanager
def _alone(state: Path, target_name: str) -> Iterator[None]:
    """One decision about a target at a time: what it was checked against is so until it is done."""
    shelf = bundle_folder(state, target_name, 0).parent
    if not shelf.is_dir():  # no version, so nothing to decide about
        yield
        return
    with alone(shelf / "lock", lambda: _log.warning("another decision about %s is at work, waiting", target_name)):
        yield


@contextmanager
def _record(state: Path, target_name: str) -> Iterator[None]:
    """One at a time moves an alias, together with the file that it is the record of."""
    lock = bundle_folder(state, target_name, 0).with_name("alias.lock")
    with alone(lock, lambda: _log.warning("MLflow is being told of another decision about %s, waiting", target_name)):
        yield


def _leave_the_shadow(state: Path, target_name: str, named: Champion, decision: Decision) -> None:
    _note(state, target_name, named, decision, "withdraw")
    challenger_file(state, target_name).unlink()


def _certified(site: Site, target_name: str, version: int, *, state: Path, against_champion: bool) -> Champion:
    """The version by its bundle's hash; ``SiteError`` unless the gate's word covers what the site asks for today."""
    _, target = site.target(target_name)
    folder = bundle_folder(state, target_name, version)
    refused = _refusals(verdict_file(state, target_name, version), version)
    if refused:
        raise SiteError(refused)
    certificate = read_certificate(folder, pinned_key(keys_folder(state) / PUBLIC_KEY))
    manifest, _ = read_checked(folder, expected=certificate.bundle_sha256)
    wanting = shortfalls(certificate, manifest.origin, target_name, target)
    if against_champion:
        wanting += _rival(certificate, state, target_name)
    if wanting:
        raise SiteError(wanting)
    return Champion(version, certificate.bundle_sha256)


def _verified(site: Site, target_name: str, named: Champion, *, state: Path) -> None:
    """It loads and answers as it was written, and the registry knows it."""
    from leadlight.model.verify import verify_in_child

    verify_in_child(bundle_folder(state, target_name, named.version), expected=named.bundle_sha256)
    check_known(site, target_name, named, state=state)


def _let_serve(state: Path, target_name: str, named: Champion, decision: Decision, action: Action) -> None:
    if current_champion(state, target_name) != named:
        _note(state, target_name, named, decision, action)
    write_json(champion_file(state, target_name), asdict(named))


def _note(state: Path, target_name: str, named: Champion, decision: Decision, action: Action) -> None:
    note(state, target_name, Term(decision.at, decision.by, action, named.version, named.bundle_sha256))


def _refusals(verdict_path: Path, version: int) -> list[str]:
    """Why the gate did not let this version pass, rule by rule; nothing if it did."""
    if not verdict_path.is_file():
        return [f"version {version} has no verdict ({verdict_path}): train, and let the gate judge"]
    try:
        verdict = json.loads(verdict_path.read_bytes())
        if verdict["verdict"] == "promote":
            return []
        head = f"version {version} may not be promoted, the gate's verdict is {verdict['verdict']}"
        return [head, *(_words(rule) for rule in verdict["rules"] if rule["state"] != "pass")]
    except (ValueError, KeyError, TypeError) as error:
        return [f"{verdict_path} is not a verdict ({error}): train again, and let the gate judge"]


def _words(rule: dict[str, Any]) -> str:
    """A rule that stands in the way, its numbers, and about how much more evidence would settle it."""
    found = {name: rule[name] for name in ("value", "lower", "upper", "threshold")}
    numbers = ", ".join(f"{name} {number:.4g}" for name, number in found.items() if number is not None)
    words = f"{rule['name']}: {rule['state']}: {numbers}; {rule['evidence']}"
    needed = rule.get("needed")
    return words if needed is None else f"{words}; about {needed:,} more {rule['unit']} would settle it"


def _rival(certificate: Certificate, state: Path, target_name: str) -> list[str]:
    """A candidate that was not held against the model that serves now may not take its place."""
    now = current_champion(state, target_name)
    judged = certificate.findings.get("champion")
    if now is None or now.bundle_sha256 in {certificate.bundle_sha256, judged}:
        return []
    return [f"judged against champion {judged or 'none'}, now it is version {now.version}: train again"]
