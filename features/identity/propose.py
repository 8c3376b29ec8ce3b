"""Leads that may be one person though they share no contact, for a reviewer to decide. Nothing is merged by this.

The probability is Fellegi and Sunter's, computed by Splink: how often the values of two leads agree by chance is
measured on the site's own leads; how often they agree where it is one person, and how many such pairs there are, is
assumed below. Those cannot be learnt from so few fields: tried on made leads, expectation maximisation took chance
agreements for a person's from 100,000 leads on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from leadlight.schema import CONTACT, CREATED_AT, DAY, LEAD_ID
from leadlight.settings import UsageError

if TYPE_CHECKING:
    from splink.internals.comparison_creator import ComparisonCreator
    from splink.internals.comparison_level_creator import ComparisonLevelCreator

DEVICE = "device"
INSTALL = "leadlight identity propose needs Splink: pip install 'leadlight[identity]'"

_DOUBLES = 0.02
"""Assumed: one lead in fifty is a person that is there under another lead, unrecognised."""
_SAME_CONTACT, _SAME_ENDING = 0.40, 0.05  # of a mistyped phone the mask often hides the wrong digit
_SAME_DEVICE = 0.70
_SAME_ATTRIBUTE = 0.85
_CAME_WITHIN = ((DAY, 0.25), (7 * DAY, 0.30), (30 * DAY, 0.30))
_KEY_HOLDERS = 100
"""A value of more leads than this finds no pairs: they would be too many, and the value says too little."""
_FEWEST = 1e-12


@dataclass(frozen=True)
class Proposal:
    """Two leads that may be one person, and what they agree in."""

    lead_id: str
    other_id: str
    probability: float
    agree: tuple[str, ...]


def proposals(leads: pa.Table, *, at_least: float, decided: Collection[frozenset[str]]) -> list[Proposal]:
    """The pairs of at least this probability, the likeliest first, without those that are ``decided``.

    leads: one row a person: ``lead_id``, ``created_at`` (µs), ``contact`` (masked), ``device`` (hashed) and any number
    of attributes as text. ``UsageError`` without Splink.
    """
    if find_spec("splink") is None:
        raise UsageError([INSTALL])
    attributes = [name for name in leads.column_names if name not in {LEAD_ID, CREATED_AT, CONTACT, DEVICE}]
    if len(leads) < 2:  # noqa: PLR2004 -- a pair
        return []
    connection = duckdb.connect()
    try:
        _prepare(connection, leads, attributes)
        found = _scored(connection, attributes, at_least)
    finally:
        connection.close()
    return [pair for pair in found if frozenset((pair.lead_id, pair.other_id)) not in decided]


def _prepare(connection: duckdb.DuckDBPyConnection, leads: pa.Table, attributes: Sequence[str]) -> None:
    """The leads under names that are safe in SQL, with the keys by which pairs are found."""
    connection.register("given", leads)
    values = "".join(f", CAST({_quoted(name)} AS VARCHAR) AS a{index}" for index, name in enumerate(attributes))
    connection.execute(f"""
        CREATE TABLE named AS SELECT {LEAD_ID} AS unique_id, {CREATED_AT} AS created_at, {CONTACT} AS contact,
            right({CONTACT}, 4) AS ending, {DEVICE} AS device{values} FROM given""")
    keys = {"key_contact": "contact", "key_device": "device"}
    keys |= {f"key_a{index}": f"ending || '|' || a{index}" for index in range(len(attributes))}
    rare = (
        f"CASE WHEN count(*) OVER (PARTITION BY {value}) <= {_KEY_HOLDERS} THEN {value} END AS {key}"
        for key, value in keys.items()
    )
    connection.execute(f"CREATE TABLE people AS SELECT *, {', '.join(rare)} FROM named")


def _scored(connection: duckdb.DuckDBPyConnection, attributes: Sequence[str], at_least: float) -> list[Proposal]:
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    (count,) = _row(connection, "SELECT count(*) FROM people")
    keys = ["key_device", "key_contact", *(f"key_a{index}" for index in range(len(attributes)))]
    settings = SettingsCreator(
        "dedupe_only",
        comparisons=list(_comparisons(connection, len(attributes))),
        blocking_rules_to_generate_predictions=[block_on(key) for key in keys],
        probability_two_random_records_match=min(2 * _DOUBLES / count, 0.5),
        retain_intermediate_calculation_columns=True,
    )
    linker = Linker(DuckDBAPI(connection=connection).register("people"), settings, log_level=None)
    scored = linker.inference.predict(threshold_match_probability=at_least)
    names = {"contact": CONTACT, "device": DEVICE, **{f"a{index}": name for index, name in enumerate(attributes)}}
    agree = ", ".join(f"CASE WHEN gamma_{column} = {_most(column)} THEN '{column}' END" for column in names)
    rows = connection.execute(f"""
        SELECT unique_id_l, unique_id_r, match_probability, list_filter([{agree}], lambda x: x IS NOT NULL)
        FROM {scored.physical_name} ORDER BY match_probability DESC, unique_id_l, unique_id_r""").fetchall()
    return [Proposal(one, other, odds, tuple(names[c] for c in same)) for one, other, odds, same in rows]


def _most(column: str) -> int:
    """The number that Splink gives to equal values: of three answers (contact) or of two."""
    return 2 if column == "contact" else 1


def _comparisons(connection: duckdb.DuckDBPyConnection, attributes: int) -> Iterator[ComparisonCreator]:
    from splink.comparison_level_library import ElseLevel, ExactMatchLevel, NullLevel
    from splink.comparison_library import CustomComparison

    whole, ending = _chance(connection, "contact"), _chance(connection, "ending")
    levels = [
        _with(ExactMatchLevel("contact"), _SAME_CONTACT, whole),
        _with(ExactMatchLevel("ending"), _SAME_ENDING, ending - whole),
        _with(ElseLevel(), 1 - _SAME_CONTACT - _SAME_ENDING, 1 - ending),
    ]
    yield CustomComparison([NullLevel("contact"), *levels], "contact")
    equal = {"device": _SAME_DEVICE, **{f"a{index}": _SAME_ATTRIBUTE for index in range(attributes)}}
    for column, agreeing in equal.items():
        chance = _chance(connection, column)
        match = ExactMatchLevel(column, term_frequency_adjustments=column != "device")
        levels = [_with(match, agreeing, chance), _with(ElseLevel(), 1 - agreeing, 1 - chance)]
        yield CustomComparison([NullLevel(column), *levels], column)
    yield CustomComparison(list(_nearness(connection)), "created_at")


def _nearness(connection: duckdb.DuckDBPyConnection) -> Iterator[ComparisonLevelCreator]:
    """How near in time the two came: chance is measured on pairs of leads drawn by the hash of their names."""
    from splink.comparison_level_library import CustomLevel, ElseLevel

    apart = "abs(one.created_at - other.created_at)"
    counts = ", ".join(f"count(*) FILTER ({apart} <= {span}) / count(*)" for span, _ in _CAME_WITHIN)
    drawn = "(SELECT * FROM people ORDER BY hash(unique_id) LIMIT 2000)"
    within = _row(connection, f"SELECT {counts} FROM {drawn} one JOIN {drawn} other ON one.unique_id < other.unique_id")
    before = 0.0
    for (span, agreeing), share in zip(_CAME_WITHIN, within, strict=True):
        yield _with(CustomLevel(f"abs(created_at_l - created_at_r) <= {span}"), agreeing, share - before)
        before = share
    yield _with(ElseLevel(), 1 - sum(agreeing for _, agreeing in _CAME_WITHIN), 1 - before)


def _with(level: ComparisonLevelCreator, agreeing: float, chance: float) -> ComparisonLevelCreator:
    return level.configure(m_probability=agreeing, u_probability=min(max(chance, _FEWEST), 1 - _FEWEST))


def _chance(connection: duckdb.DuckDBPyConnection, column: str) -> float:
    """How often two leads that have a value here have the same; where none do, less than one pair of them."""
    (pairs, all_pairs) = _row(
        connection,
        f"""SELECT coalesce(sum(n * (n - 1)), 0), coalesce(sum(n) * (sum(n) - 1), 0)
        FROM (SELECT count({column}) AS n FROM people GROUP BY {column})""",
    )
    return float(pairs or 1) / float(all_pairs or 2)


def _row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    row = connection.execute(query).fetchone()
    if row is None:
        message = f"no row: {query}"
        raise RuntimeError(message)
    return row


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
