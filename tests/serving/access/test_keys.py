"""API keys: as they are kept, and as a running server knows them."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from leadlight.database import DatabaseUnavailable, open_database
from leadlight.settings import SiteError, UsageError
from serving.access import Access, Key, Keys, has_keys
from serving.access.guard import FRESH_SECONDS, RETRY_SECONDS
from serving.listening import check_host
from tests.builders import site
from tests.traces import files_with

# Keys


def test_a_key_is_shown_once_and_kept_as_a_hash(keys: Keys, tmp_path: Path) -> None:
    """What a key opens is found by its text, which stands nowhere in the database."""
    made, text = keys.add("CRM", "crm", at=7)

    assert keys.all() == [made] == [Key(made.id, "CRM", "crm", 7)]
    assert Access(keys).key(text) == made
    assert len(text) > 43  # 256 bits
    assert files_with(tmp_path, text) == []


def test_no_two_keys_are_equal(keys: Keys) -> None:
    """Each has an id and a text of its own, and opens itself alone."""
    made = [keys.add(f"key {number}", "sales", at=number) for number in range(5)]

    access = Access(keys)
    assert len({text for _, text in made}) == len({key.id for key, _ in made}) == 5
    assert [access.key(text) for _, text in made] == [key for key, _ in made]


@pytest.mark.parametrize("wrong", ["", "leadlight_", "käse", "\x00", "x" * 10_000])
def test_another_text_is_no_key(keys: Keys, wrong: str) -> None:
    """Whatever comes, only a whole key opens; neither its hash nor a part of it does."""
    _, text = keys.add("CRM", "crm", at=7)
    access = Access(keys)

    tried = [wrong, text[:-1], f"{text} ", text.upper(), *(digest for digest, _ in keys.hashes())]

    assert [access.key(each) for each in tried] == [None] * len(tried)


def test_a_revoked_key_opens_nothing(keys: Keys) -> None:
    """It is ended by its name or id, stays in the list, and frees its name."""
    first, text = keys.add("CRM", "crm", at=7)

    revoked = keys.revoke("CRM", at=9)
    again, _ = keys.add("CRM", "sales", at=11)
    keys.revoke(again.id, at=12)

    assert revoked == keys.all()[0] == Key(first.id, "CRM", "crm", 7, 9)
    assert Access(keys).key(text) is None
    assert [key.revoked_at for key in keys.all()] == [9, 12]


def test_wrong_names_are_refused(keys: Keys) -> None:
    """A name says whose key it is: it is there, can be read, and belongs to one valid key."""
    keys.add("CRM", "crm", at=7)

    for name in ("", "  ", "two\nlines", "x" * 101, "CRM", " CRM "):
        with pytest.raises(SiteError, match="--name"):
            keys.add(name, "crm", at=8)
    with pytest.raises(SiteError, match="valid are: CRM"):
        keys.revoke("nobody", at=8)

    assert len(keys.all()) == 1


def test_other_machines_are_served_only_with_a_valid_key(tmp_path: Path) -> None:
    """A host that others reach needs a key; a revoked one does not count."""
    keys = Keys(open_database(site(), tmp_path))

    def check(host: str) -> None:
        check_host(host, lambda: has_keys(site(), tmp_path))

    with pytest.raises(UsageError, match="leadlight keys add"):
        check("192.0.2.1")
    keys.add("CRM", "crm", at=7)
    check("192.0.2.1")
    keys.revoke("CRM", at=8)
    with pytest.raises(UsageError, match="no API key"):
        check("192.0.2.1")
    check("127.0.0.1")


# What a running server knows of them


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_keys_are_looked_up_rarely_and_a_change_counts_within_a_second(keys: Keys) -> None:
    """A look is worth half a second; then additions and revocations are seen."""
    clock = Clock()
    access = Access(keys, clock)
    _, text = keys.add("CRM", "crm", at=7)

    access.look()
    before = (access.guarded, access.key(text))
    clock.now += FRESH_SECONDS
    assert not access.fresh
    access.look()
    added = access.key(text)
    keys.revoke("CRM", at=8)
    clock.now += FRESH_SECONDS
    access.look()

    assert before == (False, None)
    assert added is not None
    assert access.key(text) is None
    assert FRESH_SECONDS < 1


def test_once_there_was_a_key_one_is_needed(keys: Keys, database: Engine) -> None:
    """Revoking all keys, or losing them, closes the server; it never opens it."""
    clock = Clock()
    keys.add("CRM", "crm", at=7)
    access = Access(keys, clock)
    keys.revoke("CRM", at=8)

    clock.now += 1
    access.look()
    revoked = access.guarded
    with database.begin() as connection:
        connection.exec_driver_sql("DELETE FROM api_keys")
    clock.now += 1
    access.look()

    assert Access(keys).guarded is False
    assert (revoked, access.guarded) == (True, True)


def test_known_keys_go_on_while_the_database_is_away(keys: Keys, caplog: pytest.LogCaptureFixture) -> None:
    """A look that fails changes nothing, is logged, and is not tried at every request."""
    clock = Clock()
    _, text = keys.add("CRM", "crm", at=7)

    class Away(Keys):
        away = False

        def hashes(self) -> list[tuple[str, Key]]:
            if self.away:
                raise DatabaseUnavailable("gone")
            return keys.hashes()

    store = Away(keys._engine)
    access = Access(store, clock)
    store.away = True
    clock.now += FRESH_SECONDS
    access.look()
    during = (access.key(text) is not None, access.fresh)
    store.away = False
    keys.revoke("CRM", at=8)
    clock.now += RETRY_SECONDS
    access.look()

    assert during == (True, True)
    assert [record.message for record in caplog.records] == ["keys_not_read"]
    assert access.key(text) is None
