"""``leadlight audit``: exit codes, JSON, words and page; and what `leadlight check` says of a promotion."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import leadlight.__main__  # noqa: F401 - registers the commands
from leadlight.commands.console import app
from leadlight.settings import SiteError
from tests.training.audit_site import leaky_site


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    """A school with leaks and a spreadsheet in GB18030, not built yet, as the words that follow a command."""
    folder = leaky_site(tmp_path_factory.mktemp("audited") / "site", leads=900).site.folder
    remarks = ["lead_id,备注", *(f"L{number:05d},{'再联系' if number % 3 else '无意向'}" for number in range(900))]
    (folder / "data" / "remarks.csv").write_text("\n".join(remarks), encoding="gb18030")
    return [folder, "--data", folder / "data"]


def run(command: str, *words: object) -> Result:
    return CliRunner().invoke(app, [command, *map(str, words)])


def test_an_audit_refuses_a_feature_that_leaks(answers: list[object], tmp_path: Path) -> None:
    """It ends with 1, says why on stderr, and tells all as one JSON object and as a page, whose folder is made."""
    page = tmp_path / "reports" / "today" / "audit.html"

    refused = run("audit", *answers, "--target", "sale", "--html", page, "--json")

    assert refused.exit_code == 1, refused.output
    told = json.loads(refused.stdout)
    verdicts = {each["name"]: each["verdict"] for each in told["columns"]}
    assert (verdicts["adviser"], verdicts["visits"], verdicts["verdict"]) == ("leak", "ok", "leak")
    assert "column 'adviser'" in refused.stderr
    assert '<h2 id="refused">' in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("command", [("audit",), ("compare", "1", "2")])
def test_a_page_that_cannot_be_written_is_told_before_any_work(command: tuple[str, ...], tmp_path: Path) -> None:
    """A folder is no page: said before even the site is opened; trying leaves no empty page behind."""
    name, *versions = command
    told = run(name, tmp_path / "nowhere", *versions, "--html", tmp_path)
    fine = run(name, tmp_path / "nowhere", *versions, "--html", tmp_path / "new" / "page.html")

    assert isinstance(told.exception, IsADirectoryError)
    assert isinstance(fine.exception, SiteError)
    assert list((tmp_path / "new").iterdir()) == []


def test_a_leak_that_no_model_learns_from_is_no_fault(answers: list[object]) -> None:
    """A target that leaves the feature out ends with 0, though raw columns leak; the words name these."""
    passed = run("audit", *answers, "--target", "unadvised")

    assert passed.exit_code == 0, passed.output
    assert "  leak    verdict\n" in passed.stdout
    assert "  ok      备注: ranks the training rows" in passed.stdout
    assert "column 'adviser'" not in passed.stderr


def test_a_check_says_what_a_promotion_needs(answers: list[object]) -> None:
    """The report of `check` has the test, the intervals to expect and what is missing most, in words and as JSON."""
    words = run("check", *answers).stdout
    target, _ = json.loads(run("check", *answers, "--json").stdout)["targets"]

    assert {proof["rule"] for proof in target["promotion"]["proofs"]} == {"precision", "recall"}
    assert target["missing"][0]["name"] == "adviser"
    assert "precision at its threshold 30.0%" in words
    assert "missing most: adviser" in words
