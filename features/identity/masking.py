"""A lead's contact as a person may see it, once for tables and once for a single lead."""

from __future__ import annotations

import re
from collections.abc import Mapping

import ibis

HIDDEN = "****"
_BLANKS = " \t\n\r\v\f"  # what ibis strips


def masked_contact(leads: ibis.Table) -> ibis.Value:
    """The first contact a row has of phone, WeChat id and e-mail, masked for display; missing if it has none.

    A phone number keeps its first three and last four digits (151****8109), without the country code of China; one of
    fewer than eleven digits keeps its last two. A device is never shown.
    """
    masks = {"phone": _masked_phone, "wechat": _masked_name, "email": _masked_email}
    shown = [mask(leads[column].cast("string")) for column, mask in masks.items() if column in leads.columns]
    return ibis.coalesce(*shown) if shown else ibis.null("string")


def _masked_phone(phone: ibis.Value) -> ibis.Value:
    digits = phone.re_replace(r"[^0-9]", "").re_replace(r"^(?:00)?86(1[0-9]{10})$", r"\1")
    return ibis.cases(
        (digits.re_search(r"^[0-9]{11}"), digits.left(3) + HIDDEN + digits.right(4)),
        (digits.re_search(r"^[0-9]{7}"), HIDDEN + digits.right(2)),
        (digits != "", HIDDEN),
    )


def _masked_name(name: ibis.Value) -> ibis.Value:
    name = name.strip()
    return ibis.cases(
        (name.re_search(r"^.{4}"), name.left(1) + HIDDEN + name.right(1)),
        (name != "", HIDDEN),
    )


def _masked_email(email: ibis.Value) -> ibis.Value:
    email = email.strip()
    return ibis.cases(
        (email.re_search(r"^.+@[^@]+$"), email.left(1) + HIDDEN + email.re_extract(r"(@[^@]+)$", 1)),
        (email != "", HIDDEN),
    )


def mask_of(contacts: Mapping[str, str | None]) -> str | None:
    """The same for the contacts of one lead, by type."""
    masks = {"phone": _phone_shown, "wechat": _name_shown, "email": _email_shown}
    shown = (mask(contacts.get(kind) or "") for kind, mask in masks.items())
    return next((text for text in shown if text is not None), None)


def _phone_shown(phone: str) -> str | None:
    digits = re.sub(r"^(?:00)?86(1[0-9]{10})\Z", r"\1", re.sub(r"[^0-9]", "", phone))
    if re.match(r"[0-9]{11}", digits):
        return digits[:3] + HIDDEN + digits[-4:]
    if re.match(r"[0-9]{7}", digits):
        return HIDDEN + digits[-2:]
    return HIDDEN if digits else None


def _name_shown(name: str) -> str | None:
    name = name.strip(_BLANKS)
    if re.match(r".{4}", name):
        return name[:1] + HIDDEN + name[-1:]
    return HIDDEN if name else None


def _email_shown(email: str) -> str | None:
    email = email.strip(_BLANKS)
    host = re.fullmatch(r".+(@[^@]+)", email)
    if host:
        return email[:1] + HIDDEN + host[1]
    return HIDDEN if email else None
