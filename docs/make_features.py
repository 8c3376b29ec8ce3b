"""Makes docs/features.md: prose from its template, and what each kind of feature is from the code and its examples.

``python docs/make_features.py`` writes the page; a test says when it is not what this makes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from features.catalogue import AnyEntry, Context, Entry, EventsEntry, Indicator

DOCS = Path(__file__).parent
SPEC = DOCS.parent / "tests" / "spec"
DEMO = DOCS.parent / "examples" / "demo" / "catalogue.toml"
EDGES = 5
"""The examples that every kind over events begins with."""

Table = dict[str, Any]


def page() -> str:
    """The whole page."""
    text = (DOCS / "features.template.md").read_text(encoding="utf-8")
    for name, part in {
        "overview": _overview(),
        "edges": _edges(),
        "kinds": "\n\n".join(_kind(kind, entry) for kind, entry in _kinds()),
        "others": "\n\n".join(_other(name) for name in ("where", "valid_until")),
        "worked": "\n".join(_worked()),
    }.items():
        text = text.replace(f"{{{{{name}}}}}", part)
    return text


def _kinds() -> Iterator[tuple[str, type[Entry]]]:
    """Every kind that the catalogue admits, in its order."""
    for entry in get_args(get_args(AnyEntry)[0]):
        for kind in get_args(entry.model_fields["kind"].annotation):
            yield kind, entry


def _overview() -> str:
    rows = [f"| [`{kind}`](#{kind}) | {_what(kind, entry)} | {_own(kind, entry)} |" for kind, entry in _kinds()]
    return "\n".join(["| kind | is | parameters of its own |", "|---|---|---|", *rows])


def _edges() -> str:
    kinds = [kind for kind, entry in _kinds() if issubclass(entry, EventsEntry)]
    says = [example["says"].removesuffix(" does not count") for example in _spec(kinds[0])["example"][:EDGES]]
    lines = ["| kind | " + " | ".join(says) + " |", "|---" * (EDGES + 1) + "|"]
    for kind in kinds:
        values = [next(iter(example["expect"].values())) for example in _spec(kind)["example"][:EDGES]]
        lines.append(f"| `{kind}` | " + " | ".join(map(str, values)) + " |")
    return "\n".join(lines)


def _kind(kind: str, entry: type[Entry]) -> str:
    if entry is Context:
        told, example, cases = _first_sentence(entry), _entry_text(DEMO, "context"), []
        why = "a busy season lifts everybody: without it a model takes the calendar for a person's interest"
    else:
        spec = _spec(kind)
        told, why, example = _what(kind, entry), spec["why"], _entry_text(SPEC / f"{kind}.toml", kind)
        cases = spec["example"][EDGES:] if issubclass(entry, EventsEntry) else spec["example"]
    examples = _examples(kind, cases)
    lines = [f"### `{kind}`", "", f"{_capital(told)}. *Why:* {why}.", "", "```toml", example, "```"]
    return "\n".join([*lines, *examples])


def _other(name: str) -> str:
    spec = _spec(name)
    title, _, told = spec["title"].partition(": ")
    lines = [f"### {title}", "", f"{_capital(told)}. *Why:* {spec['why']}."]
    return "\n".join([*lines, *_examples(name, spec["example"])])


def _worked() -> Iterator[str]:
    for path in sorted((SPEC / "worked").glob("*.toml")):
        spec = tomllib.loads(path.read_text(encoding="utf-8"))
        yield f"- **{spec['title']}** ([table](../tests/spec/worked/{path.name}))"
        yield from (f"  - {_case(example)}" for example in spec["example"])


def _examples(name: str, examples: list[Table]) -> list[str]:
    """The examples of one specification as a list, with the way to its tables of events."""
    if not examples:
        return []
    return ["", f"From [{name}.toml](../tests/spec/{name}.toml):", "", *(f"- {_case(each)}" for each in examples)]


def _case(example: Table) -> str:
    read = ", ".join(f"`{name} = {_shown(value)}`" for name, value in example["expect"].items())
    return f"{example['says']}: {read}"


def _shown(value: object) -> str:
    if value == "-":
        return "missing"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _what(kind: str, entry: type[Entry]) -> str:
    return _uncapital(_first_sentence(entry)) if entry is Context else _spec(kind)["title"].partition(": ")[2]


def _own(kind: str, entry: type[Entry]) -> str:
    """The parameters that other kinds do not share, with the words that they admit."""
    shared = EventsEntry if issubclass(entry, EventsEntry) else Entry
    fields = {name: field for name, field in entry.model_fields.items() if name not in {*shared.model_fields, "kind"}}
    if issubclass(entry, Indicator) and not _admits(entry, kind, of="label"):
        del fields["of"]
    return ", ".join(
        f"`{name}`" + "".join(f'{" =" if not place else " or"} `"{word}"`' for place, word in enumerate(_words(field)))
        for name, field in fields.items()
    )


def _admits(entry: type[Entry], kind: str, **parameters: object) -> bool:
    try:
        entry.model_validate({"name": "any", "zh": "", "en": "", "kind": kind, "events": ["any"], **parameters})
    except ValidationError:
        return False
    return True


def _words(field: FieldInfo) -> tuple[str, ...]:
    return get_args(field.annotation) if get_origin(field.annotation) is Literal else ()


def _entry_text(path: Path, kind: str) -> str:
    """The first entry of that kind in a file of entries, as it is written there."""
    blocks = path.read_text(encoding="utf-8").split("[[feature]]\n")[1:]
    block = next(block for block in blocks if f'kind = "{kind}"' in block)
    return "[[feature]]\n" + block.split("\n\n[[example]]")[0].split("\n\n#")[0].strip()


def _first_sentence(entry: type[Entry]) -> str:
    return (entry.__doc__ or "").split(".")[0].split("\n\n")[0].replace("``", "`").strip()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _uncapital(text: str) -> str:
    return text[:1].lower() + text[1:]


def _spec(name: str) -> Table:
    return tomllib.loads((SPEC / f"{name}.toml").read_text(encoding="utf-8"))


if __name__ == "__main__":
    (DOCS / "features.md").write_text(page(), encoding="utf-8")
