"""The card of a lead: what a salesperson reads, in both languages, safe and complete in one answer."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from leadlight.model.blended import Rung
from leadlight.schema import to_micros
from leadlight.settings import LockRule
from serving import web
from serving.champion import Champion
from serving.language import Language
from serving.locks import lock_facts, locks
from serving.schemas import Score
from serving.schemas_leads import LeadAnswer
from serving.web.card import card_of
from tests.serving.journal_builders import copied
from tests.serving.serving_builders import HOSTILE, School, school_leads

STYLE = (Path(web.__file__).parent / "style.css").read_text(encoding="utf-8")
COLOURS = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", STYLE))
VOID = {"link", "meta", "rect", "path", "circle", "br"}


class Page(HTMLParser):
    """A page's visible text, its tags with their attributes, and whether every tag is closed in order."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(source)
        self.text = re.sub(r"\s+", " ", self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.text += " "

    def handle_data(self, data: str) -> None:
        if not {"style", "title"} & set(self.open):
            self.text += data


def page(client: TestClient, lead_id: str, language: str = "en") -> Page:
    answer = client.get(f"/leads/{lead_id}", params={"lang": language})
    assert answer.status_code == 200
    return Page(answer.text)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            [
                "Lead hot", "151****8109", "Channel referral", "Lead since 16 Oct 2025", "Follow-up intention clear",
                "Made data", "to order for the first time within 30 days", "Grade A: the top 5 % of leads",
                "Why", "course pages viewed in the last 7 days: 13",
                "Lately", "Sun 19 Oct, 16:00 attended a trial class",
                "Behaviour", "Channel and profile", "Model and versions", "as of 20 Oct 2025 12:00",
            ],
        ),
        (
            "zh",
            [
                "线索 hot", "151****8109", "渠道 转介绍", "建档日期 2025年10月16日", "跟进状态 意向明确", "虚构数据",
                "30 天内首单", "A 级：最高的 5% 线索", "为什么", "近7天浏览课程详情次数：13", "最近动态",
                "10月19日 周日 16:00 参加试听课", "行为偏好", "渠道与画像", "模型与版本",
            ],
        ),
    ],
)  # fmt: skip
def test_the_card_says_who_how_hot_why_and_what_happened(client: TestClient, language: str, words: list[str]) -> None:
    """Head, grade with its promise, reasons with the lead's own values, and the last events, in words."""
    text = page(client, "hot", language).text

    assert [word for word in words if word not in text] == []


def test_the_card_shows_the_numbers_of_the_api(client: TestClient) -> None:
    """Grade, probability and percentile on the card are those of the score."""
    (score,) = client.post("/v1/scores", json={"leads": [{"lead_id": "hot"}]}).json()["scores"]

    text = page(client, "hot").text

    assert f"Grade {score['grade']}" in text
    assert f"{100 * score['probability']:.0f} %" in text
    assert f"Score {score['score']}: ahead of" in text


def test_a_locked_lead_shows_the_lock_and_no_number(client: TestClient) -> None:
    """Do not contact comes first; grade, reasons and probability are absent, not empty."""
    shown = page(client, "converted")

    assert "Do not contact: order on 17 Oct 2025" in shown.text
    assert "Why" not in shown.text
    assert "Grade" not in shown.text
    assert "Follow-up" not in shown.text


def locked_page(client: TestClient, champion: Champion, school: School, lead_id: str, language: Language) -> Page:
    """A card where a lead with a known follow-up status belongs to somebody else, here called like the status."""
    rules = {
        "owned": {"zh": "他人跟进中", "en": "another follows it up", "set_by": ["follow_up"], "who": "status"},
        "trial": {"zh": "试听后免打扰", "en": "do not disturb after a trial", "set_by": ["trial"], "lasts": "7d"},
    }
    site = school.site.model_copy(update={"locks": {n: LockRule.model_validate(rule) for n, rule in rules.items()}})
    (facts,) = [each for each in school_leads() if each.lead_id == lead_id]
    answer = TypeAdapter(LeadAnswer).validate_json(client.get(f"/v1/leads/{lead_id}").content)
    held = locks(site, "first_order", lock_facts(site, facts), to_micros(answer.score.as_of), language)
    score = answer.score
    score = Score(
        lead_id,
        score.target,
        locks=held,
        as_of=score.as_of,
        features_as_of=score.as_of,
        scored_at=score.scored_at,
        model_version=score.model_version,
        rung=score.rung,
    )
    answer = replace(answer, score=score)
    return Page(web.render("card.html", language, card=card_of(answer, champion, site, {}, language)))


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            [
                "Do not contact: another follows it up (since 20 Oct 2025, until it is lifted, set by intention_clear)",
                "Do not contact: do not disturb after a trial (since 19 Oct 2025, until 26 Oct 2025 16:00)",
            ],
        ),
        (
            "zh",
            [
                "请勿联系：他人跟进中（2025年10月20日起，直至解除，由intention_clear设置）",
                "请勿联系：试听后免打扰（2025年10月19日起，至2025年10月26日 16:00）",
            ],
        ),
    ],
)
def test_every_lock_stands_before_all_else(
    client: TestClient, champion: Champion, school: School, language: Language, words: list[str]
) -> None:
    """Why, since and until when, and by whom, before the lead's name, contact or any number."""
    shown = locked_page(client, champion, school, "hot", language)

    places = [shown.text.index(word) for word in words]
    assert places == sorted(places)
    assert places[-1] < shown.text.index("151****8109")
    assert shown.text.index(words[0]) < shown.text.index("hot")
    assert "Grade" not in shown.text
    assert "等级" not in shown.text
    assert [found.get("role") for tag, found in shown.tags if tag == "p" and found.get("class") == "lock"] == [
        "alert"
    ] * 2
    assert shown.open == []


def test_whoever_set_a_lock_stays_text(client: TestClient, champion: Champion, school: School) -> None:
    """Markup in the name of who set a lock is shown, never obeyed."""
    shown = locked_page(client, champion, school, "a/b <i>", "en")

    assert f"set by {HOSTILE}" in shown.text
    assert "script" not in {tag for tag, _ in shown.tags}


def test_whatever_a_text_says_it_stays_text(client: TestClient) -> None:
    """Markup in an id, a label, an attribute or a contact is shown, never obeyed."""
    shown = page(client, "a/b <i>")

    assert shown.text.count(HOSTILE) >= 3
    assert "Lead a/b <i>" in shown.text
    assert "script" not in {tag for tag, _ in shown.tags}


@pytest.mark.parametrize("lead_id", ["hot", "converted", "a/b <i>", "L005"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_card_is_one_small_answer_without_scripts(client: TestClient, lead_id: str, language: str) -> None:
    """Under 60 kB, no script, nothing loaded from elsewhere, and a policy that would forbid it."""
    answer = client.get(f"/leads/{lead_id}", params={"lang": language})
    shown = Page(answer.text)

    assert len(answer.content) < 60_000
    assert shown.open == []
    assert not {"script", "img", "iframe", "object", "form"} & {tag for tag, _ in shown.tags}
    loads = [found[name] for _, found in shown.tags for name in ("src", "href") if found.get(name)]
    assert all(str(address).startswith(("?", "#", "data:,")) for address in loads)
    assert not [found for _, found in shown.tags if "style" in found or any(name.startswith("on") for name in found)]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]


def test_the_card_can_be_read_by_ear_and_keyboard(client: TestClient) -> None:
    """Language, landmarks, one first heading, headed tables, decorations hidden, a way past the head."""
    shown = page(client, "hot", "zh")
    tags = [tag for tag, _ in shown.tags]

    assert dict(shown.tags)["html"]["lang"] == "zh-CN"
    assert tags.count("h1") == tags.count("main") == tags.count("header") == 1
    assert all(found.get("aria-hidden") == "true" for tag, found in shown.tags if tag == "svg")
    assert all("scope" in found for tag, found in shown.tags if tag == "th")
    ids = {found["id"] for _, found in shown.tags if "id" in found}
    assert {found["aria-labelledby"] for _, found in shown.tags if "aria-labelledby" in found} <= ids
    assert ("a", {"class": "skip", "href": "#score"}) in shown.tags


@pytest.mark.parametrize("ink", ["ink", "quiet", "up", "down", "link"])
@pytest.mark.parametrize("ground", ["paper", "ground"])
def test_words_stand_out_from_what_they_stand_on(ink: str, ground: str) -> None:
    """Every colour of text has the contrast that WCAG 2.2 AA asks of normal text."""
    assert _contrast(COLOURS[ink], COLOURS[ground]) >= 4.5


@pytest.mark.parametrize("grade", ["a", "b", "c", "d"])
def test_grades_stand_out(grade: str) -> None:
    """White letters can be read on every grade."""
    assert _contrast(COLOURS[grade], "#ffffff") >= 4.5


def test_the_language_follows_the_browser_unless_it_is_chosen(client: TestClient) -> None:
    """Accept-Language decides, lang= overrules, and a link changes it."""
    chinese = client.get("/leads/hot", headers={"Accept-Language": "zh-CN"})
    chosen = client.get("/leads/hot", params={"lang": "en"}, headers={"Accept-Language": "zh-CN"})

    assert '<html lang="zh-CN">' in chinese.text
    assert '<html lang="en">' in chosen.text
    assert "?target=first_order&amp;lang=en" in chinese.text


def test_what_cannot_be_shown_is_said_on_a_page(client: TestClient) -> None:
    """People get a page for an unknown lead or a target without champion, with the right status."""
    unknown = client.get("/leads/<b>nobody</b>")
    without = client.get("/leads/hot", params={"target": "second_order", "lang": "zh"})

    assert unknown.status_code == 404
    assert "&lt;b&gt;nobody&lt;/b&gt;" in unknown.text
    assert without.status_code == 503
    assert "无法显示此线索" in without.text
    assert "leadlight promote" in without.text


def test_templates_say_only_words_of_the_catalogue() -> None:
    """No word for people stands in a template itself."""
    folder = Path(web.__file__).parent
    words = tomllib.loads((folder.parent / "words.toml").read_text(encoding="utf-8"))

    said = {key for path in folder.glob("*.html") for key in re.findall(r'say\("(\w+)"', path.read_text("utf-8"))}
    left = {path.name: _bare_words(path.read_text("utf-8")) for path in folder.glob("*.html")}

    assert said <= set(words)
    assert {name: found for name, found in left.items() if found} == {}


def _bare_words(template: str) -> list[str]:
    without = re.sub(r"{%.*?%}|{{.*?}}", "", template, flags=re.DOTALL)
    return re.findall(r">[^<]*?(\w{2,})[^<]*<", without)


def _contrast(one: str, other: str) -> float:
    dark, light = sorted(_luminance(colour) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), _linear(colour), strict=True))


def _linear(colour: str) -> Iterator[float]:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    for place in (0, 2, 4):
        part = int(digits[place : place + 2], 16) / 255
        yield part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


@pytest.mark.parametrize("as_of", ["yesterday", "", "2200-01-01", "1970-01-02"])
def test_a_moment_that_cannot_be_shown_is_told_on_a_page(client: TestClient, as_of: str) -> None:
    """A browser gets no JSON, whoever finds the fault."""
    answer = client.get("/leads/hot", params={"as_of": as_of})

    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"]
    assert "This lead cannot be shown" in Page(answer.text).text


def test_a_failure_of_ours_is_a_page_too(school: School, tmp_path: Path) -> None:
    """With status 500, and without a word of the inside."""
    broken = copied(school, tmp_path)
    with TestClient(broken.app(), raise_server_exceptions=False) as opened:
        shutil.rmtree(broken.state / "history")
        answer = opened.get("/leads/hot")

    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith("text/html")
    assert str(tmp_path) not in answer.text


def test_links_of_a_card_keep_its_moment(client: TestClient) -> None:
    """Whoever looks at the past in one language sees the same past in the other."""
    asked = "2025-10-19T17:00:00+08:00"

    english = client.get("/leads/hot", params={"as_of": asked, "lang": "en"})
    (link,) = [tag["href"] for name, tag in Page(english.text).tags if name == "a" and "lang=zh" in (tag["href"] or "")]
    chinese = client.get(f"/leads/hot{link}")
    today = client.get("/leads/hot")

    assert "as of 19 Oct 2025 17:00" in Page(english.text).text
    assert "截至 2025年10月19日 17:00" in Page(chinese.text).text
    assert "as_of=" not in today.text


@pytest.mark.parametrize(
    ("rung", "words"),
    [
        ("base_rate", "base rate only"),
        ("scorecard", "by the points table"),
        ("logistic", "simple model"),
        ("blend", None),
        ("trees", None),
    ],
)
def test_a_model_that_had_little_to_learn_from_says_so(
    client: TestClient, champion: Champion, school: School, rung: Rung, words: str | None
) -> None:
    """In a word beside the promise; of a full model there is nothing to say."""
    lead = TypeAdapter(LeadAnswer).validate_json(client.get("/v1/leads/hot").content)
    shown = card_of(replace(lead, score=replace(lead.score, rung=rung)), champion, school.site, {}, "en")
    text = Page(web.render("card.html", "en", card=shown)).text

    said = ["base rate only", "by the points table", "simple model"]
    assert [each for each in said if each in text] == ([] if words is None else [words])
