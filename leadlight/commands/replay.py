"""From an answer back to what it was made of: replay."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadlight.commands.console import Json, SiteFolder, StateFolder, TargetName, app, err, print_answer
from leadlight.commands.place import Place, open_place, parse_moment
from leadlight.schema import Micros, from_micros
from leadlight.settings import UsageError

if TYPE_CHECKING:
    from features.log import Log
    from leadlight.journal import Answer
    from serving.replay import Replayed


@app.command()
def replay(
    site: SiteFolder,
    answer: Annotated[str | None, typer.Argument(metavar="ID", help="the answer_id that an answer came with")] = None,
    lead: Annotated[str | None, typer.Option("--lead", help="the last answer about this lead instead")] = None,
    at: Annotated[str | None, typer.Option("--at", help="of those given until this moment, ISO 8601")] = None,
    target: TargetName = None,
    past: Annotated[bool, typer.Option("--past", help="evaluate the vector again too, from the history")] = False,
    state: StateFolder = None,
    as_json: Json = False,
) -> None:
    """Compute an answer again from the journal, bit for bit; exit 1 unless it is equal."""
    if (answer is None) == (lead is None):
        raise UsageError(["give either an answer's ID or --lead LEAD"])
    place = open_place(site, state)
    name, until = place.site.target(target)[0], parse_moment(at, place.site)
    from features.log import Log
    from leadlight import journal
    from leadlight.database import open_database

    engine = open_database(place.site, place.state)
    try:
        if answer is not None:
            found = journal.answer(engine, answer)
        else:
            leads = [lead or "", _person(place, Log(engine), lead or "")]
            found = journal.last_answer(engine, leads, target=name, until=until)
    finally:
        engine.dispose()
    if found is None:
        raise UsageError([_not_found(answer, lead, name, until) + _pruned(place)])
    if isinstance(found, journal.Erased):
        moment = from_micros(found.at).isoformat()
        print_answer(as_json, {"state": "erased", "erased_at": moment}, [f"erased at {moment}, with the person"])
        raise typer.Exit(1)
    _print(found, _replayed(found, place, past=past), as_json=as_json)


def _person(place: Place, log: Log, lead: str) -> str:
    """The lead that this one's person is named after: answers stand under its name."""
    from features.history import open_history
    from features.past import Past

    past = Past(open_history(place.state), log, place.site.identity)
    past.reached(past.news(())[0])
    return past.person_of(lead)


def _not_found(answer: str | None, lead: str | None, target: str, until: Micros | None) -> str:
    if answer is not None:
        return f"{answer}: the journal has no answer of this id; --lead LEAD finds the last of a lead"
    when = "" if until is None else f" until {_moment(until)}"
    return f"--lead {lead}: the journal has no answer about it for {target}{when}"


def _pruned(place: Place) -> str:
    days = place.site.journal.keep_days
    return "" if days is None else f" (answers older than {days} days are taken out: [journal] keep_days)"


def _replayed(answer: Answer, place: Place, *, past: bool) -> Replayed:
    from features.log import Log
    from leadlight.database import open_database
    from serving.desk import open_desk
    from serving.exploration import open_exploration
    from serving.replay import Bundles
    from serving.replay import replay as compute_again

    bundles, exploration = Bundles(place.state), open_exploration(place.site, place.state)
    with err.status("computing the answer again …"):
        if not past:
            return compute_again(answer, bundles=bundles, exploration=exploration)
        engine = open_database(place.site, place.state)
        try:
            desk = open_desk(place.site, place.catalogue, place.state, Log(engine))
            return compute_again(answer, bundles=bundles, exploration=exploration, past=desk)
        finally:
            engine.dispose()


def _print(answer: Answer, replayed: Replayed, *, as_json: bool) -> None:
    values: dict[str, Any] = {
        "state": replayed.state,
        "id": answer.id,
        "lead_id": answer.lead_id,
        "target": answer.target,
        "asked_at": _moment(answer.asked_at),
        "as_of": _moment(answer.as_of),
        "model_version": answer.model_version,
        "bundle_sha256": answer.bundle_sha256,
        "probability": answer.probability,
        "grade": answer.grade,
        "flagged": answer.flagged,
        "explored": answer.explored,
        "source": answer.source,
        "shadow": {"version": answer.shadow_version, "probability": answer.shadow_probability},
        "locks": json.loads(answer.locks),
        "reasons": json.loads(answer.reasons),
        "differences": [
            {"what": each.what, "answered": each.answered, "now": each.now} for each in replayed.differences
        ],
        "notes": list(replayed.notes),
    }
    print_answer(as_json, values, [*_said(answer), *_found(replayed)])
    if replayed.state != "equal":
        raise typer.Exit(1)


def _said(answer: Answer) -> list[str]:
    """The answer as it was given, in words."""
    head = f"{answer.target}, lead {answer.lead_id}, as of {_moment(answer.as_of)}, answered {_moment(answer.asked_at)}"
    if answer.probability is None:
        return [head, *(f"    locked: {lock['name']}" for lock in json.loads(answer.locks))]
    marks = "".join([", flagged" if answer.flagged else "", ", explored" if answer.explored else ""])
    version = f"{answer.probability:.4f}, grade {answer.grade}{marks}, by version {answer.model_version}"
    shadow = (
        f"; challenger {answer.shadow_version}: {answer.shadow_probability:.4f}"
        if answer.shadow_probability is not None
        else ""
    )
    reasons = (f"    {reason['points']:+8.4f}  {reason['words']}" for reason in json.loads(answer.reasons))
    return [head, version + shadow, *reasons]


def _found(replayed: Replayed) -> list[str]:
    words = {
        "equal": "equal: computed again, every number is the same",
        "differs": f"differs, so often: {len(replayed.differences)}",
        "no bundle": "cannot be computed again: its bundle is not to be had",
    }
    notes = (f"note: {note}" for note in replayed.notes)
    return [words[replayed.state], *(f"    {difference}" for difference in replayed.differences), *notes]


def _moment(moment: Micros) -> str:
    return from_micros(moment).isoformat()
