"""The drafted catalogue: which features each column and kind of event suggests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from features.draft.behaviour import Act, View, across, acts_of, behaviour
from features.draft.columns import name_of
from features.draft.entries import WINDOWS, Budget, Entry
from features.draft.measure import Measured
from features.draft.queries import is_numeric, kept
from features.draft.roles import Roles
from leadlight.settings import parse_duration

COLUMNS_AT_MOST = 150
_LISTED = 8
_DRIFT = """# left out: counts of everybody, which help where they rise and fall with a season. Here fewer or more new
# leads come lately than in most weeks before (or the weeks are few), so a model has not seen such counts.
"""


def catalogue(roles: Roles, measured: Measured, outcomes: list[str], ages: list[str]) -> str:
    """``catalogue.toml``: what was drafted, and in comments what was not; ``ages``: when leads are seen."""
    view = View(measured, _windows(ages, early=measured.early))
    drafted = [*_attributes(roles, view.taken)]
    acts = [*acts_of(roles, outcomes, view)]
    for act in acts:
        drafted += behaviour(act, view)
    drafted += across(acts, view)
    drafted += _fixed(acts, roles, view)
    context = [*_context(roles, outcomes)]
    if measured.steady:
        drafted += context
    budget = Budget(COLUMNS_AT_MOST)
    entries = budget.of([*_unlike(drafted)])
    head = ["# A draft by `leadlight init`. One [[feature]] is one entry; docs/features.md explains the kinds."]
    head += [f"# left out: {name}: {why}" for name, why in view.left_out.items()]
    if budget.left:
        head.append(f"# left out, so as not to be more than {COLUMNS_AT_MOST} columns (what few leads do goes first):")
        head.append(f"#   {_some(budget.left)}")
    texts = [entry.text() for entry in entries]
    if context and not measured.steady:
        texts.append(_DRIFT + "".join(f"# {line}\n" for entry in context for line in entry.text().splitlines()))
    return "\n".join(["\n".join(head) + "\n", *texts])


def _some(names: list[str]) -> str:
    more = f", and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def _unlike(entries: list[Entry]) -> Iterator[Entry]:
    """``entries`` with names that are all different: a label may be called as a feature is."""
    taken: set[str] = set()
    for entry in entries:
        yield replace(entry, name=name_of(entry.name, taken, "feature"))


def _windows(ages: list[str], *, early: bool) -> tuple[str, ...]:
    """The windows that differ from the whole past at one of the ages; all do if leads act before they are created."""
    oldest = max((parse_duration(age) for age in ages), default=0)
    return tuple(w for w in WINDOWS if w == "all" or early or parse_duration(w) < oldest)


def _attributes(roles: Roles, taken: set[str]) -> Iterator[Entry]:
    theme = "channel_profile"
    yield Entry("channel", "attribute", ('column = "channel"',), ("渠道", "channel"), theme)
    for name, column in kept(roles):
        kind = "number" if is_numeric(column) else "text"
        parts = (f'column = "{name}"', f'type = "{kind}"')
        yield Entry(name_of(name, taken, "attribute"), "attribute", parts, (column.name, column.name), theme)
    if roles.events:
        yield Entry("lead_age", "age", ('unit = "days"',), ("线索天数", "days since creation"), "life_cycle")


def _fixed(acts: list[Act], roles: Roles, view: View) -> Iterator[Entry]:
    """Of a label that is the same in all events of a lead, one word; none where the leads' own file has it."""
    own = {column.name for column in roles.attributes.values()}
    labels = {label: column for act in acts for label, column in act.labels}
    for label, column in labels.items():
        kinds = [act.kind for act in acts if view.label(act.kind, label).fixed]
        if kinds and column.name in own:
            view.left_out[f"{column.name} of {_some(kinds)}"] = "the leads' own attribute again"
        elif kinds:
            view.left_out[f"{column.name} of {_some(kinds)}, event by event"] = "all events of a lead say the same"
            listed = ", ".join(f'"{kind}"' for kind in kinds)
            parts = (f"events = [{listed}]", f'of = "{label}"')
            reach = max(view.measured.reach.get(kind, 0) for kind in kinds)
            yield Entry(
                name_of(f"{label}_said", view.taken, "label"),
                "last_value",
                parts,
                (column.name, column.name),
                "channel_profile",
                reach=reach,
            )


def _context(roles: Roles, outcomes: list[str]) -> Iterator[Entry]:
    if not roles.events:
        return
    won = ", ".join(f'"{outcome}"' for outcome in outcomes)
    for name, kinds, words in (
        ("new_leads", '"lead_created"', ("近{window}新线索数", "new leads of everybody in {window}")),
        ("won_leads", won, ("近{window}成交数", "outcomes of everybody in {window}")),
    ):
        yield Entry(name, "context", (f"events = [{kinds}]",), words, "life_cycle", windows=("7d",))
