"""Which alerts were sent, as a file keeps it."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadlight.settings import SiteError
from training.monitor.record import Ledger


def test_an_alert_that_was_sent_is_not_told_again(tmp_path: Path) -> None:
    """Not even by the next run, which reads the file; one that failed is, under the id it had."""
    path = tmp_path / "sale.alerts.json"
    first = Ledger(path)
    begun = first.begin(["a", "b"], now=1)
    first.note("a", fault="")
    first.note("b", fault="answered 503")

    again = Ledger(path).begin(["a", "b"], now=2)

    assert again.keys() == {"b"}
    assert again["b"].message_id == begun["b"].message_id


@pytest.mark.parametrize("damage", ['{"tar', "[]", "null", '{"a": 1}', '{"a": {"sent": true}}', "\x00", ""])
def test_a_damaged_file_is_named_and_left_as_it_is(tmp_path: Path, damage: str) -> None:
    """One fault with the file and what to do, whatever is wrong with it."""
    path = tmp_path / "sale.alerts.json"
    path.write_text(damage, encoding="utf-8")

    with pytest.raises(SiteError, match="remove it") as refused:
        Ledger(path)

    (fault,) = refused.value.faults
    assert fault.startswith(str(path))
    assert path.read_text(encoding="utf-8") == damage
