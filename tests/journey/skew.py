"""A site lived through over HTTP: facts come one by one, profiles are asked for, and a build says what they should be.

The server runs on a clock of its own that only moves when it is told to. Whatever it answers is written down; when all
has happened a build takes in the log, and its relational evaluator is asked about the same leads and moments.
"""

from __future__ import annotations

import datetime as dt
import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import ibis
import pyarrow as pa
import uvicorn

from features import context, relational
from features.build import build
from features.catalogue import Catalogue, Context, load_catalogue
from features.history import open_history
from features.log import Log, NewEdge
from features.people import as_people
from features.rows import newest_closed_day
from leadlight.database import open_database
from leadlight.schema import (
    AS_OF,
    CHANNEL,
    CONTEXT_KEY,
    DAY,
    EVERYBODY,
    HOUR,
    LEAD_ID,
    MINUTE,
    SECOND,
    Micros,
    from_micros,
    to_micros,
)
from leadlight.settings import Site, load_site
from serving.app import create_app
from tests.serving.serving_builders import SITE

SITE_ON_THE_WALL_CLOCK = SITE.replace('at = "last_fact"', 'at = "wall"')
START = 1_760_000_000 * SECOND
KINDS = ("page_view", "trial", "follow_up", "order")
COURSES = ("数学", "英语", "编程")
CITIES = ("上海", "北京", None)
ASKED = {"value", "life_cycle", "behaviour", "channel_profile"}


@dataclass
class Asked:
    """What the server said of one lead at one moment."""

    lead_id: str
    as_of: int
    values: dict[str, Any]


@dataclass
class Replay:
    """One site being lived through; ``now`` is its wall clock."""

    site: Site
    catalogue: Catalogue
    state: Path
    data: Path
    draw: random.Random
    now: int = START
    leads: list[str] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    def live_through(self, client: httpx2.Client, moments: int, at_once: int) -> None:
        """Let things happen at random until as many moments have been asked about, at most ``at_once`` in a row."""
        acts = [self._event, self._again, self._correct, self._lead, self._version, self._verdict]
        weights = [50, 6, 10, 6, 6, 2]
        while len(self.asked) < moments:
            self.now += self.draw.choice((0, MINUTE, round(self.draw.expovariate(1 / HOUR))))
            self.now += 2 * DAY * (self.draw.random() < 0.03)
            for act in self.draw.choices(acts, weights, k=self.draw.randrange(3)):
                act(client)
            for _ in range(self.draw.randrange(at_once + 1)):
                self._ask(client)

    def build(self) -> None:
        """Take in what the files and the log have."""
        build(self.site, self.catalogue, state=self.state, data=self.data, as_of=None, wall=self.now)

    def differences(self) -> list[str]:
        """What a build of everything says otherwise than the server did, value by value and bit by bit."""
        self.build()
        told: list[str] = []
        with open_history(self.state).reading() as tables:
            spine = ibis.memtable(
                pa.table({LEAD_ID: [each.lead_id for each in self.asked], AS_OF: [each.as_of for each in self.asked]})
            )
            found = relational.evaluate(self.catalogue, self.site, as_people(tables), spine).to_pyarrow().to_pylist()
            rows = {(row[LEAD_ID], row[AS_OF]): row for row in found}
            channels = dict(zip(*tables.leads.select(LEAD_ID, CHANNEL).to_pyarrow().to_pydict().values(), strict=True))
            days = {newest_closed_day(self.site, each.as_of) for each in self.asked}
            closed = context.close(self.catalogue, self.site, tables, min(days), max(days)).to_pyarrow().to_pylist()
        contexts = {(row[CONTEXT_KEY], row["closed_at"]): row for row in closed}
        for each in self.asked:
            row = rows[each.lead_id, each.as_of]
            for column in self.catalogue.columns:
                if isinstance(column.entry, Context):
                    key = EVERYBODY if column.entry.scope == "all" else channels[each.lead_id]
                    at = context.closing(self.site, newest_closed_day(self.site, each.as_of))
                    should = contexts.get((key, at), {}).get(column.name)
                else:
                    should = row[column.name]
                came = each.values[column.name]
                if repr(came) != repr(should):
                    told.append(f"{each.lead_id} at {each.as_of}: {column.name} was {came!r}, should be {should!r}")
        return told

    def _ask(self, client: httpx2.Client) -> None:
        answer = client.get(f"/v1/leads/{self.draw.choice(self.leads)}/profile")
        assert answer.status_code == 200, answer.text
        found = answer.json()
        tags = [tag for theme in ASKED for tag in found[theme]]
        as_of = _micros(found["as_of"])
        self.asked.append(Asked(found["lead_id"], as_of, {tag["name"]: tag["value"] for tag in tags}))

    def _event(self, client: httpx2.Client) -> None:
        kind = self.draw.choice(KINDS)
        late = 0 if self.draw.random() < 0.6 else round(self.draw.expovariate(1 / DAY))
        event: dict[str, Any] = {
            "event_id": f"e{len(self.events)}",
            "lead_id": self.draw.choice(self.leads),
            "kind": kind,
            "at": _iso(self.now - late),
        }
        if kind == "order":
            event["amount"] = self.draw.randrange(1, 900_000)
        if kind == "page_view":
            event["labels"] = {"course": self.draw.choice(COURSES)}
        if kind == "follow_up":
            event["labels"] = {"status": self.draw.choice(("pending", "in_contact"))}
        self.events.append(event)
        _sent(client.post("/v1/outcomes" if kind == "order" else "/v1/events", json=_batch(kind, [event])))

    def _again(self, client: httpx2.Client) -> None:
        if self.events:
            again = self.draw.choices(self.events, k=3)
            answer = _sent(client.post("/v1/events", json={"events": list({e["event_id"]: e for e in again}.values())}))
            assert set(answer["results"]) == {"unchanged"}, answer

    def _correct(self, client: httpx2.Client) -> None:
        if self.events:
            place = self.draw.randrange(len(self.events))
            event = {**self.events[place], "at": _iso(self.now - self.draw.randrange(3 * DAY))}
            self.events[place] = event
            _sent(client.post("/v1/events", json={"events": [event]}))

    def _lead(self, client: httpx2.Client) -> None:
        lead_id = f"live-{len(self.leads)}"
        self.leads.append(lead_id)
        self._put(client, lead_id, channel=self.draw.choice(("sem", "referral")))

    def _version(self, client: httpx2.Client) -> None:
        self._put(client, self.draw.choice(self.leads))

    def _put(self, client: httpx2.Client, lead_id: str, **more: str) -> None:
        attributes = {"city": self.draw.choice(CITIES), "budget": self.draw.choice((None, 100.5, 3000))}
        phone = f"1511234{self.draw.randrange(8000, 8040)}" if self.draw.random() < 0.5 else None
        body = {**more, "attributes": attributes, "phone": phone}
        _sent(client.put(f"/v1/leads/{lead_id}", json={k: v for k, v in body.items() if v is not None}))

    def _verdict(self, _: httpx2.Client) -> None:
        """A reviewer's word, given by another process than the server."""
        one, other = self.draw.sample(self.leads, 2)
        edge = (
            NewEdge(one, other, "same", "review", "told")
            if self.draw.random() < 0.5
            else NewEdge(one, None, "apart", "review", "told")
        )
        log = Log(open_database(self.site, self.state))
        self.now += SECOND
        log.append([edge], now=lambda: self.now, base=open_history(self.state).records([one, other]))
        self.now += SECOND


@contextmanager
def lived(folder: Path, site: str, catalogue: str, *, seed: int, moments: int, at_once: int = 2) -> Iterator[Replay]:
    """A site of a few leads in ``folder``, served while as many moments were asked about; yields it afterwards."""
    replay = made_site(folder, site, catalogue, seed=seed)
    replay.build()
    for part in range(2):  # a second server over a second build goes on where the first one ended
        with served(replay) as client:
            replay.live_through(client, moments * (part + 1) // 2, at_once)
        if part == 0:
            replay.build()
    yield replay


@contextmanager
def served(replay: Replay, wall: Callable[[], Micros] | None = None) -> Iterator[httpx2.Client]:
    """A client of a server of the site, whose clock is ``wall``; by default one that only moves when it is told to."""
    app = create_app(replay.site, replay.catalogue, state=replay.state, wall=wall or (lambda: replay.now))
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=600) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        listener.close()


def made_site(folder: Path, site: str, catalogue: str, *, seed: int) -> Replay:
    """A site of twenty leads, drawn from ``seed``, that is not built yet."""
    (folder / "sources").mkdir(parents=True)
    (folder / "data").mkdir()
    (folder / "leadlight.toml").write_text(site, encoding="utf-8")
    (folder / "catalogue.toml").write_text(catalogue, encoding="utf-8")
    draw = random.Random(seed)  # noqa: S311  a replay that can be repeated
    leads = [f"L{number:02d}" for number in range(20)]
    created = {lead_id: START - draw.randrange(HOUR, 10 * DAY) for lead_id in leads}
    rows = [
        f"{each},{_iso(created[each])},{draw.choice(('sem', 'referral'))},{draw.choice(CITIES) or ''},"
        f"{draw.choice(('', 900))},1511234{draw.randrange(8000, 8040)}"
        for each in leads
    ]
    (folder / "data" / "leads.csv").write_text(
        "\n".join(["id,came,channel,city,budget,phone", *rows]), encoding="utf-8"
    )
    facts = [
        f"f{number},{lead_id},{draw.choice(KINDS)},{_iso(draw.randrange(created[lead_id], START))}"
        for number in range(100)
        for lead_id in [draw.choice(leads)]
    ]
    (folder / "data" / "events.csv").write_text("\n".join(["id,lead,kind,moment", *facts]), encoding="utf-8")
    (folder / "sources" / "leads.sql").write_text(
        "SELECT id AS lead_id, came AS created_at, channel, city, budget::DOUBLE AS budget, phone"
        " FROM read_csv('{data}/leads.csv', all_varchar = true)",
        encoding="utf-8",
    )
    (folder / "sources" / "events.sql").write_text(
        "SELECT id AS event_id, lead AS lead_id, kind, moment AS at, NULL::TIMESTAMP AS arrived_at,"
        " NULL::BIGINT AS amount, NULL AS course, NULL AS status"
        " FROM read_csv('{data}/events.csv', all_varchar = true)",
        encoding="utf-8",
    )
    loaded = load_site(folder)
    return Replay(loaded, load_catalogue(loaded), folder / "state", folder / "data", draw, leads=list(leads))


def _batch(kind: str, events: list[dict[str, Any]]) -> dict[str, Any]:
    return {"outcomes" if kind == "order" else "events": events}


def _sent(answer: httpx2.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _iso(moment: int) -> str:
    return from_micros(moment).isoformat()


def _micros(text: str) -> int:
    return to_micros(dt.datetime.fromisoformat(text))
