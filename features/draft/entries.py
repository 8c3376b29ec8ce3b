"""One drafted entry of the catalogue, how promising its columns are, and what a budget leaves of many entries."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

WINDOWS = ("1d", "3d", "7d", "30d", "all")
SHORT = ("1d", "3d", "7d")
MAIN = ("", "7d", "all")


@dataclass(frozen=True)
class Entry:
    """A ``[[feature]]``: ``parts`` are its own lines, ``words`` its wording in Chinese and English.

    ``place`` is how early it goes into the budget, 0 first; ``reach`` the number of leads that have a value, which
    decides between equals.
    """

    name: str
    kind: str
    parts: tuple[str, ...]
    words: tuple[str, str]
    theme: str = "behaviour"
    windows: tuple[str, ...] = ()
    place: int = 0
    reach: int = 0

    def text(self) -> str:
        """The entry as the catalogue has it."""
        zh, en = (json.dumps(word, ensure_ascii=False) for word in self.words)
        windows = [f"windows = {json.dumps(list(self.windows))}"] if self.windows else []
        lines = [f'name = "{self.name}"', f'kind = "{self.kind}"', *self.parts, *windows]
        return "\n".join(["[[feature]]", *lines, f"zh = {zh}", f"en = {en}", f'theme = "{self.theme}"', ""])


@dataclass
class Budget:
    """Takes columns until ``most`` are taken; ``left`` names the others."""

    most: int
    left: list[str] = field(default_factory=list)

    def of(self, entries: list[Entry]) -> list[Entry]:
        """``entries`` in their order with the windows that are taken, without those of which none is."""
        columns = [(entry, window) for entry in entries for window in entry.windows or ("",)]
        columns.sort(key=lambda column: (_place(*column), -column[0].reach))
        taken = {(entry.name, window) for entry, window in columns[: self.most]}
        self.left += [f"{entry.name}_{window}".removesuffix("_") for entry, window in columns[self.most :]]
        kept: list[Entry] = []
        for entry in entries:
            windows = tuple(window for window in entry.windows if (entry.name, window) in taken)
            if windows or (entry.name, "") in taken:
                kept.append(replace(entry, windows=windows))
        return kept


def _place(entry: Entry, window: str) -> int:
    """The windows that say most come with the entry, the others after two places more."""
    return entry.place + (0 if window in MAIN or entry.place == 0 else 2)
