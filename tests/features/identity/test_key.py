"""The key that contacts are hashed with."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from features.identity import Key, identity_key, needed_key
from features.identity.key import VARIABLE, add_link, key_file, make_key
from leadlight.settings import Site, SiteError, UsageError, load_site
from tests.conftest import ROOT

OTHER = "x" * 32


@pytest.fixture(scope="module")
def made_site() -> Site:
    return load_site(ROOT / "examples" / "demo")


@pytest.fixture(scope="module")
def real_site() -> Site:
    return load_site(ROOT / "examples" / "x_education")


def test_without_a_key_there_is_none_and_who_needs_it_says_so(real_site: Site, tmp_path: Path) -> None:
    """A real site has no key until somebody gives it one, and a command that needs it names both ways."""
    assert identity_key(real_site, tmp_path, {}) is None
    assert not key_file(tmp_path).exists()
    with pytest.raises(UsageError, match=f"leadlight identity key .*{VARIABLE}"):
        needed_key(real_site, tmp_path, {})


def test_a_made_up_site_draws_its_own(made_site: Site, tmp_path: Path) -> None:
    """The contacts of made-up leads need no secret of an operator's; the one drawn is kept."""
    drawn = identity_key(made_site, tmp_path, {})

    assert drawn is not None
    assert drawn == identity_key(made_site, tmp_path, {}) == make_key(tmp_path)


def test_a_key_is_its_owner_s_alone(real_site: Site, tmp_path: Path) -> None:
    """The file is made for its owner only, and one that others can read is refused."""
    make_key(tmp_path)
    assert key_file(tmp_path).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in key_file(tmp_path).parent.iterdir()] == ["identity.key"]

    key_file(tmp_path).chmod(0o640)

    with pytest.raises(SiteError, match="chmod 600"):
        identity_key(real_site, tmp_path, {})


def test_processes_that_draw_at_once_get_one_key(tmp_path: Path) -> None:
    """Whoever comes second takes the key of the first, whole."""
    with ThreadPoolExecutor(8) as several:
        drawn = set(several.map(lambda _: make_key(tmp_path), range(32)))

    assert len(drawn) == 1


def test_the_environment_comes_first(real_site: Site, tmp_path: Path) -> None:
    """A key in the environment is taken, with commas between the links of a rotated one."""
    make_key(tmp_path)

    assert identity_key(real_site, tmp_path, {VARIABLE: OTHER}) == Key((OTHER.encode(),))
    rotated = identity_key(real_site, tmp_path, {VARIABLE: f"{OTHER}, {'y' * 32}"})
    assert rotated == Key((OTHER.encode(), b"y" * 32))


def test_a_rotation_adds_a_link(real_site: Site, tmp_path: Path) -> None:
    """The key keeps its links and has one more, under another name; the names are all that is ever shown."""
    old = make_key(tmp_path)

    new = add_link(tmp_path)

    assert new == identity_key(real_site, tmp_path, {})
    assert new.links[:1] == old.links
    assert new.since(old.name) == new.links[1:]
    assert new.name != old.name
    assert repr(new) == f"Key({old.name}, {new.name})"


@pytest.mark.parametrize(
    "text", ["short", f"{OTHER},short", f"{OTHER},{OTHER}", f"{OTHER},", "a key of words that is long enough"]
)
def test_a_weak_key_is_refused(real_site: Site, tmp_path: Path, text: str) -> None:
    """A key too short to be random, or twice the same, is no key; it is not repeated in the message."""
    with pytest.raises(SiteError) as refused:
        identity_key(real_site, tmp_path, {VARIABLE: text})

    assert VARIABLE in str(refused.value)
    assert text not in str(refused.value)
