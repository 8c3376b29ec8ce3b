"""Which file and column plays which part (leads, key, time, channel, outcome): what a guess says."""

from __future__ import annotations

from dataclasses import dataclass, field

from features.draft.profile import ColumnProfile, TableProfile


@dataclass(frozen=True)
class Measure:
    """A number beside the amount of a file's events, drafted as ``kinds`` of its own, by raw value."""

    name: str
    column: ColumnProfile
    kinds: dict[str, str]


@dataclass(frozen=True)
class EventTable:
    """A file of dated facts about leads; ``kinds`` are its kinds by raw value, or one kind for the whole file.

    ``lead`` holds the leads' key or, if given, what their column ``via`` holds. ``told`` names the columns that the
    events of each kind fill in; ``measures`` and ``more`` are the further numbers that the draft takes and leaves.
    ``won`` are the kinds that count as success. Several may come from one file: ``part`` tells their events apart,
    ``where`` says which rows they are.
    """

    table: TableProfile
    lead: ColumnProfile
    at: ColumnProfile
    arrived: ColumnProfile | None
    kind: ColumnProfile | None
    kinds: dict[str, str]
    amount: ColumnProfile | None
    labels: tuple[ColumnProfile, ...]
    via: ColumnProfile | None = None
    told: dict[str, frozenset[str]] = field(default_factory=dict)
    measures: tuple[Measure, ...] = ()
    more: tuple[str, ...] = ()
    won: tuple[str, ...] = ()
    part: str = ""
    where: str = ""

    @property
    def outcome(self) -> bool:
        """Whether some of these events are successes."""
        return bool(self.won)

    def has(self, value: str, column: ColumnProfile) -> bool:
        """Whether events of the kind with this raw value ever have the column filled in."""
        return value not in self.told or column.name in self.told[value]


@dataclass(frozen=True)
class Roles:
    """The whole guess; ``unused`` says of each file left out why.

    Where no event is a success, leads were won at ``won_at`` or, undated, if the condition ``won_if`` holds. ``later``
    are columns left out of the attributes that a person may want back, each with the reason. ``notes`` are for whoever
    reads the SQL of the leads, ``outcome`` says what was taken for success, and what else was seen.
    """

    leads: TableProfile
    key: ColumnProfile
    created: ColumnProfile | None
    channel: ColumnProfile | None
    contacts: dict[str, ColumnProfile]
    attributes: dict[str, ColumnProfile]
    left_out: dict[str, str]
    won_at: ColumnProfile | None
    won_if: str
    events: tuple[EventTable, ...]
    unused: dict[str, str]
    later: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    outcome: tuple[str, ...] = ()

    @property
    def offset(self) -> str:
        """The UTC offset to begin with: China's where headers are Chinese."""
        columns = [*self.leads.columns, *(column for table in self.events for column in table.table.columns)]
        return "+08:00" if any("一" <= sign <= "鿿" for column in columns for sign in column.name) else "+00:00"
