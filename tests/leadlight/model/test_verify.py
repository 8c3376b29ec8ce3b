from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from leadlight.model.manifest import canonical, sha256
from leadlight.model.verify import verify_in_child
from leadlight.settings import SiteError
from tests.leadlight.model.fit_builders import written


def rehashed(folder: Path, name: str, content: bytes) -> str:
    """Put other content into a file and make the manifest agree, as one who knows the format would; the new name."""
    (folder / name).write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["files"][name] = {"bytes": len(content), "sha256": sha256(content)}
    (folder / "manifest.json").write_bytes(canonical(manifest))
    return sha256(canonical(manifest))


def test_a_whole_bundle_passes_its_first_load(tmp_path: Path) -> None:
    """A bundle as it was written loads in the child and answers to the bit, and is left as it was."""
    digest = written(tmp_path / "v1")
    before = {path.name: path.read_bytes() for path in (tmp_path / "v1").iterdir()}

    verify_in_child(tmp_path / "v1", expected=digest)

    assert {path.name: path.read_bytes() for path in (tmp_path / "v1").iterdir()} == before


def test_another_answer_than_the_golden_one_is_refused(tmp_path: Path) -> None:
    """A model that differs by one part in a million from its golden answers does not pass."""
    folder = tmp_path / "v1"
    written(folder)
    blend = json.loads((folder / "blend.json").read_bytes())
    digest = rehashed(folder, "blend.json", canonical({**blend, "offset": blend["offset"] + 1e-6}))

    with pytest.raises(SiteError, match="raw of the golden rows differ"):
        verify_in_child(folder, expected=digest)


@pytest.mark.parametrize("damage", ["tree_sizes=", "left_child="])
def test_a_damaged_tree_text_never_kills_the_parent(tmp_path: Path, damage: str) -> None:
    """A text that breaks LightGBM in the child, even by a signal, is one clear error here."""
    folder = tmp_path / "v1"
    written(folder)
    text = (folder / "trees-1.txt").read_bytes()
    digest = rehashed(folder, "trees-1.txt", text.replace(damage.encode(), damage.encode() + b"99999", 1))

    with pytest.raises(SiteError) as caught:
        verify_in_child(folder, expected=digest)

    assert len(caught.value.faults) == 1
    assert "is not to be loaded: the process that tried" in caught.value.faults[0]


@pytest.mark.proof
def test_a_mutated_tree_text_is_refused_or_says_the_same(tmp_path: Path) -> None:
    """Texts with damaged bytes and matching hashes: whatever they do to the child, the parent lives to tell."""
    rng = np.random.default_rng(7)
    refused = 0

    for turn in range(12):
        folder = tmp_path / f"v{turn}"
        written(folder)
        mutated = bytearray((folder / "trees-1.txt").read_bytes())
        for place in rng.integers(len(mutated), size=5):
            mutated[place] = int(rng.integers(32, 127))
        digest = rehashed(folder, "trees-1.txt", bytes(mutated))
        try:
            verify_in_child(folder, expected=digest)
        except SiteError:
            refused += 1

    assert refused > 0
