"""What may serve: a bundle the gate certified, and nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from features.catalogue import AnyEntry, Catalogue, Indicator
from leadlight.model.certificate import PUBLIC_KEY, Certificate, signing_key, write_certificate
from leadlight.shelf import bundle_folder, champion_file, keys_folder
from serving.champion import Champion, Champions
from serving.problems import Problem
from tests.serving.serving_builders import School, name_champion

TARGET = "first_order"


@pytest.fixture
def copy(school: School, tmp_path: Path) -> School:
    """The school with a state folder of its own: champion, bundle and keys."""
    for name in ("bundles", "champion", "keys"):
        shutil.copytree(school.state / name, tmp_path / "state" / name)
    return School(school.site, school.catalogue, tmp_path / "state")


def sign(school: School, verdict: str) -> None:
    """A new certificate for the bundle, by the key of the school's gate."""
    digest = json.loads(champion_file(school.state, TARGET).read_bytes())["bundle_sha256"]
    certificate = Certificate(digest, TARGET, verdict, {})
    write_certificate(bundle_folder(school.state, TARGET, 1), certificate, key=signing_key(keys_folder(school.state)))


def opened(school: School) -> Champions:
    champions = Champions(school.site, school.catalogue, school.state)
    champions.refresh()
    return champions


def refusal(champions: Champions) -> str:
    with pytest.raises(Problem) as caught:
        champions.get(TARGET)
    assert caught.value.status == 503
    return caught.value.detail


def test_a_certified_champion_serves(school: School, champion: Champion) -> None:
    """The version that the champion file names is loaded, with the columns in the model's order."""
    assert (champion.target, champion.version) == (TARGET, "1")
    assert champion.bundle.manifest.origin.catalogue_hash == school.catalogue.digest(champion.bundle.manifest.columns)
    assert tuple(column.name for column in champion.columns) == champion.bundle.model.encoder.columns


def test_without_a_champion_the_answer_says_what_to_do(copy: School) -> None:
    """A target that nothing was promoted for is a 503 with the commands that help."""
    champion_file(copy.state, TARGET).unlink()

    assert "leadlight promote" in refusal(opened(copy))


def test_a_bundle_without_a_certificate_is_no_champion(copy: School) -> None:
    """A champion file alone, written by hand, makes nothing serve."""
    (bundle_folder(copy.state, TARGET, 1) / "certificate.json").unlink()

    assert "never passed the gate" in refusal(opened(copy))


def test_a_forged_certificate_is_no_champion(copy: School) -> None:
    """A certificate signed by another key than the pinned one counts for nothing."""
    folder = bundle_folder(copy.state, TARGET, 1)
    digest = json.loads(champion_file(copy.state, TARGET).read_bytes())["bundle_sha256"]
    other = signing_key(copy.state / "elsewhere")
    write_certificate(folder, Certificate(digest, TARGET, "promote", {}), key=other)

    assert "not what the gate signed" in refusal(opened(copy))


def test_a_champion_answers_its_own_question_only(copy: School) -> None:
    """A longer horizon, or a threshold above what was proven, in leadlight.toml ends the champion that knew neither."""
    target = copy.site.targets[TARGET]
    longer = target.model_copy(update={"horizon": 2 * target.horizon})
    stricter = target.model_copy(update={"gate": target.gate.model_copy(update={"precision": 0.95})})

    for changed, words in ((longer, "another question"), (stricter, "asks for 0.95")):
        site = copy.site.model_copy(update={"targets": {**copy.site.targets, TARGET: changed}})
        assert words in refusal(opened(School(site, copy.catalogue, copy.state)))


def test_an_edited_verdict_is_no_champion(copy: School) -> None:
    """A genuine certificate loses its word when a byte of it changes."""
    path = bundle_folder(copy.state, TARGET, 1) / "certificate.json"
    path.write_text(path.read_text(encoding="utf-8").replace("0.9", "0.8"), encoding="utf-8")

    assert "not what the gate signed" in refusal(opened(copy))


def test_a_rejected_bundle_is_no_champion(copy: School) -> None:
    """A certificate with another verdict than promote does not serve, even if the gate signed it."""
    sign(copy, "reject")

    assert "'reject'" in refusal(opened(copy))


@pytest.mark.parametrize("name", ["trees-1.txt", "linear.json", "cuts.json"])
def test_a_changed_file_is_no_champion(copy: School, name: str) -> None:
    """Any file of the bundle that is not the certified one stops it, before anything in it is read."""
    path = bundle_folder(copy.state, TARGET, 1) / name
    path.write_bytes(path.read_bytes().replace(b"0.", b"1.", 1))

    assert name in refusal(opened(copy))


def test_a_certificate_of_another_target_is_no_champion(copy: School) -> None:
    """A bundle that passed for one question does not serve another."""
    shutil.copytree(bundle_folder(copy.state, TARGET, 1), bundle_folder(copy.state, "second_order", 1))
    digest = json.loads(champion_file(copy.state, TARGET).read_bytes())["bundle_sha256"]
    champion_file(copy.state, TARGET).unlink()
    name_champion(copy, target="second_order", version=1, digest=digest)

    with pytest.raises(Problem, match="the certificate is about target 'first_order'"):
        opened(copy).get("second_order")


def test_a_file_that_names_another_bundle_is_no_champion(copy: School) -> None:
    """The champion file, the certificate and the bundle must agree on one hash."""
    name_champion(copy, target=TARGET, version=1, digest="0" * 64)

    assert "promote again" in refusal(opened(copy))


@pytest.mark.parametrize("content", ["", "{", '{"version": 1}', "[]", '{"version": "../..", "bundle_sha256": 1}'])
def test_an_unreadable_champion_file_is_no_champion(copy: School, content: str) -> None:
    """Whatever stands in the file, the server answers what is wrong."""
    champion_file(copy.state, TARGET).write_text(content, encoding="utf-8")

    assert refusal(opened(copy))


def test_features_that_changed_since_training_stop_their_champion(copy: School) -> None:
    """A model is fed only with the features it was trained on, computed as they were then."""
    first, *others, _ = copy.catalogue.feature
    fewer = Catalogue(feature=(first, *others))
    narrower = Catalogue(feature=tuple(_narrower(each) for each in copy.catalogue.feature))

    assert "catalogue.toml has no " in refusal(opened(School(copy.site, fewer, copy.state)))
    assert "computes the model's features otherwise" in refusal(opened(School(copy.site, narrower, copy.state)))


def _narrower(entry: AnyEntry) -> AnyEntry:
    return entry.model_copy(update={"amount_over": 1.0}) if isinstance(entry, Indicator) else entry


def test_other_words_and_further_features_leave_the_champion_be(copy: School) -> None:
    """It goes on serving, in the corrected words."""
    first, *others = copy.catalogue.feature
    reworded = first.model_copy(update={"en": "corrected", "theme": "value"})
    further = others[0].model_copy(update={"name": "further"})
    catalogue = Catalogue(feature=(reworded, *others, further))

    champion = opened(School(copy.site, catalogue, copy.state)).get(TARGET)

    words = {column.name: column.wording("en") for column in champion.columns}
    assert words[first.name] == "corrected"
    assert "further" not in words


def test_a_promotion_is_seen_and_an_uncertified_one_ends_the_old_champion(copy: School) -> None:
    """A new file is checked when it appears; a bad one never lets the old champion go on in silence."""
    content = champion_file(copy.state, TARGET).read_bytes()
    champion_file(copy.state, TARGET).unlink()
    champions = opened(copy)
    refusal(champions)

    champion_file(copy.state, TARGET).write_bytes(content)
    champions.refresh()
    digest = champions.get(TARGET).bundle.sha256
    name_champion(copy, target=TARGET, version=9, digest=digest)
    champions.refresh()

    assert "certificate.json is missing" in refusal(champions)


def test_the_public_key_is_pinned_at_the_first_look(copy: School) -> None:
    """Exchanging the key file under a running server does not exchange whom it believes."""
    content = champion_file(copy.state, TARGET).read_bytes()
    champion_file(copy.state, TARGET).unlink()
    champions = opened(copy)
    champion_file(copy.state, TARGET).write_bytes(content)
    shutil.rmtree(keys_folder(copy.state))
    sign(copy, "promote")

    champions.refresh()

    assert (keys_folder(copy.state) / PUBLIC_KEY).is_file()
    assert "not what the gate signed" in refusal(champions)
