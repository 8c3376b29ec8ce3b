"""Who a lead is. Raw contacts enter here and leave masked; nothing else of Leadlight ever sees them."""

from __future__ import annotations

import ibis

HIDDEN = "****"


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
