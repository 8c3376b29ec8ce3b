"""A lead's contacts, made comparable and then hashed with a key: what leaves here reaches nobody."""

from __future__ import annotations

import hmac
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache

import phonenumbers
import pyarrow as pa
from phonenumbers import PhoneNumberType

from features.identity.key import Key
from leadlight.schema import CONTACTS, KNOWN_AT, LEAD_ID

TYPE = "type"
HASH = "hash"
HASHED = pa.schema([(LEAD_ID, pa.string()), (TYPE, pa.string()), (HASH, pa.string()), (KNOWN_AT, pa.int64())])
"""The columns of hashed contacts: who showed which contact, and since when that is known."""

_PERSONAL = {
    PhoneNumberType.MOBILE,
    PhoneNumberType.FIXED_LINE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE,
    PhoneNumberType.PERSONAL_NUMBER,
    PhoneNumberType.VOIP,
}
_ONE_DIGIT = re.compile(r"(\d)\1{9}")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
_NO_VALUE = {"anonymous", "n/a", "none", "null", "undefined", "unknown"}
_LEAST_SIGNS = 6  # of a WeChat id or a device


def hashes_of(contacts: Mapping[str, str | None], key: Key, region: str) -> tuple[tuple[str, str], ...]:
    """The (type, hash) pairs of one lead's contacts, in the order of their types; those that name nobody give none."""
    found = ((kind, normalised(kind, contacts.get(kind), region)) for kind in CONTACTS)
    return tuple((kind, hashed(kind, text, key)) for kind, text in found if text is not None)


def normalised(kind: str, text: str | None, region: str) -> str | None:
    """The one way to write a contact, or ``None`` for what names nobody.

    A phone number is in E.164; without a country code it is one of ``region``; service numbers, extensions of a
    switchboard and ten equal digits in a row name nobody. E-mails and devices are in lower case, a WeChat id as it is.
    """
    text = unicodedata.normalize("NFKC", text or "").strip()
    if text.casefold() in _NO_VALUE:
        return None
    if kind == "phone":
        return _phone(text, region)
    if kind == "email":
        return text.lower() if _EMAIL.fullmatch(text) else None
    named = len(text) >= _LEAST_SIGNS and len(set(filter(str.isalnum, text))) > 1
    if not named:
        return None
    return text.lower() if kind == "device" else text


def _phone(text: str, region: str) -> str | None:
    written = _plain_mobile(text, region) or _parsed_phone(text, region)
    return None if written is None or _ONE_DIGIT.search(written) else written


def _plain_mobile(text: str, region: str) -> str | None:
    """The commonest way to write a number, at a tenth of the parser's cost: a mobile one without its country code."""
    code, mobile = _mobiles(region)
    return f"+{code}{text}" if text.isascii() and mobile.fullmatch(text) else None


@cache
def _mobiles(region: str) -> tuple[int, re.Pattern[str]]:
    """A region's country code and the pattern of its mobile numbers; where there are none, none fits."""
    rules = phonenumbers.PhoneMetadata.metadata_for_region(region)
    pattern = rules.mobile.national_number_pattern if rules and rules.mobile else None
    return phonenumbers.country_code_for_region(region), re.compile(pattern or r"(?!)")


def _parsed_phone(text: str, region: str) -> str | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    personal = phonenumbers.number_type(number) in _PERSONAL and not number.extension
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if personal else None


def hashed(kind: str, text: str, key: Key) -> str:
    """The keyed hash of a normalised contact: HMAC-SHA256 under each link of the key in turn, after the key's name."""
    first, *later = key.links
    digest = hmac.digest(first, f"{kind}:{text}".encode(), "sha256")
    return _named(_chained(digest, later), key)


def rekeyed(old: str, key: Key) -> str:
    """A stored hash under the newest link: those added since it was made are applied; equal contacts stay equal."""
    name, _, digest = old.partition(".")
    if name == key.name:
        return old
    return _named(_chained(bytes.fromhex(digest), key.since(name)), key)


def _chained(digest: bytes, links: list[bytes] | tuple[bytes, ...]) -> bytes:
    for link in links:
        digest = hmac.digest(link, digest, "sha256")
    return digest


def _named(digest: bytes, key: Key) -> str:
    return f"{key.name}.{digest.hex()}"


def hashed_contacts(leads: pa.Table, key: Key, region: str) -> pa.Table:
    """The hashed contacts of raw leads, as ``HASHED``: distinct, each with the earliest moment it is known from.

    leads: ``lead_id``, ``known_at`` (µs) and any of the columns phone, wechat, email and device, as text; several rows
    a lead are its versions.
    """
    rows = pa.Table.from_batches(_hashed_batches(leads, key, region), schema=HASHED)
    earliest = rows.group_by([LEAD_ID, TYPE, HASH]).aggregate([(KNOWN_AT, "min")])
    named = earliest.rename_columns([LEAD_ID, TYPE, HASH, KNOWN_AT])
    return named.sort_by([(LEAD_ID, "ascending"), (TYPE, "ascending"), (HASH, "ascending")])


def _hashed_batches(leads: pa.Table, key: Key, region: str) -> Iterator[pa.RecordBatch]:
    """Batch by batch, so that no more than one batch of raw contacts is ever held as Python objects."""
    for batch in leads.select([c for c in leads.column_names if c in {LEAD_ID, KNOWN_AT, *CONTACTS}]).to_batches(
        65_536
    ):
        for kind in CONTACTS:
            if kind not in batch.schema.names:
                continue
            contacts = batch[kind].cast(pa.string()).dictionary_encode()
            known = [normalised(kind, text, region) for text in contacts.dictionary.to_pylist()]
            hashes = pa.array([None if text is None else hashed(kind, text, key) for text in known], pa.string())
            columns = [batch[LEAD_ID], pa.repeat(kind, len(batch)), hashes.take(contacts.indices), batch[KNOWN_AT]]
            found = pa.RecordBatch.from_arrays(columns, schema=HASHED)
            yield found.filter(found[HASH].is_valid())
