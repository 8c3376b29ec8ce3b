from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from leadlight.model.bundle import check_golden, load_bundle
from leadlight.model.manifest import canonical, sha256
from leadlight.settings import SiteError
from tests.leadlight.model.fit_builders import ORIGIN, fit_rows, fitted, made_rows, written

MUTATIONS = 40


def test_a_bundle_answers_as_the_model_it_was_written_from(tmp_path: Path) -> None:
    """Read back, the model gives the same bits, and all that came with it is there."""
    digest = written(tmp_path / "v1")

    bundle = load_bundle(tmp_path / "v1", expected=digest)

    before, after = fitted().model.score(made_rows().X), bundle.model.score(made_rows().X)
    for name in ("raw", "probability", "low", "high", "contributions"):
        assert getattr(before, name).tobytes() == getattr(after, name).tobytes()
    assert before.base == after.base
    assert set(after.groups) == {"behaviour", "profile"}
    assert bundle.manifest.origin == ORIGIN
    assert bundle.reference == {"rows": 1500}
    check_golden(bundle)


@pytest.mark.parametrize("kept", [["visits", "minutes"], ["channel", "city"]], ids=["numbers", "categories"])
def test_columns_of_one_type_are_enough(kept: list[str], tmp_path: Path) -> None:
    """A model of numbers alone, or of categories alone, is written, loaded and answers as before."""
    rows = made_rows()
    narrow = fit_rows(rows._replace(X=rows.X[kept], groups={name: rows.groups[name] for name in kept}))

    bundle = load_bundle(tmp_path / "v1", expected=written(tmp_path / "v1", narrow))

    before, after = narrow.model.score(rows.X), bundle.model.score(rows.X)
    assert before.raw.tobytes() == after.raw.tobytes()
    assert before.contributions.tobytes() == after.contributions.tobytes()


def test_the_same_model_is_the_same_bytes(tmp_path: Path) -> None:
    """Two folders written from one model hold equal files and have one name."""
    one, other = written(tmp_path / "one"), written(tmp_path / "other")

    assert one == other
    assert sha256((tmp_path / "one" / "manifest.json").read_bytes()) == one
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "other" / path.name).read_bytes()


def test_a_bundle_is_written_only_once(tmp_path: Path) -> None:
    """An existing folder is never written into."""
    written(tmp_path / "v1")

    with pytest.raises(SiteError, match="only once"):
        written(tmp_path / "v1")


def test_every_fault_of_a_folder_is_named(tmp_path: Path) -> None:
    """A missing, an altered, a cut and an unknown file are told in one error; the certificate beside it is none."""
    folder = tmp_path / "v1"
    digest = written(folder)
    (folder / "certificate.json").write_text("{}")
    load_bundle(folder, expected=digest)
    (folder / "cuts.json").unlink()
    (folder / "blend.json").write_bytes((folder / "blend.json").read_bytes()[:-1])
    linear = bytearray((folder / "linear.json").read_bytes())
    linear[20] ^= 1
    (folder / "linear.json").write_bytes(bytes(linear))
    (folder / "notes.txt").write_text("mine")

    with pytest.raises(SiteError) as caught:
        load_bundle(folder, expected=digest)

    told = "\n".join(caught.value.faults)
    assert len(caught.value.faults) == 4
    assert "cuts.json is missing" in told
    assert "blend.json has" in told
    assert "linear.json was altered" in told
    assert "notes.txt belongs to no bundle" in told


def test_no_mutated_bundle_loads(tmp_path: Path) -> None:
    """One byte changed anywhere, the manifest included, and the bundle is refused before it is parsed."""
    folder = tmp_path / "v1"
    digest = written(folder)
    rng = np.random.default_rng(7)
    paths = sorted(folder.iterdir())

    for turn in range(MUTATIONS):
        path = paths[turn % len(paths)]
        whole = path.read_bytes()
        mutated = bytearray(whole)
        mutated[rng.integers(len(whole))] ^= 1 << int(rng.integers(8))
        path.write_bytes(bytes(mutated))
        with pytest.raises(SiteError):
            load_bundle(folder, expected=digest)
        path.write_bytes(whole)
    load_bundle(folder, expected=digest)


def test_a_link_is_no_part_of_a_bundle(tmp_path: Path) -> None:
    """A file that is a link elsewhere is refused even if its bytes are right."""
    folder = tmp_path / "v1"
    digest = written(folder)
    (folder / "cuts.json").rename(tmp_path / "cuts.json")
    (folder / "cuts.json").symlink_to(tmp_path / "cuts.json")

    with pytest.raises(SiteError, match="no plain file"):
        load_bundle(folder, expected=digest)


def test_there_is_one_spelling_of_a_document() -> None:
    """Order of keys does not matter, characters are ASCII, and NaN cannot be written."""
    assert canonical({"b": "中", "a": [1.5]}) == b'{"a":[1.5],"b":"\\u4e2d"}'
    with pytest.raises(ValueError, match="Out of range"):
        canonical([float("nan")])
