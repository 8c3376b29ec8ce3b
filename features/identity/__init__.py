"""Who a lead is. Raw contacts enter here and leave masked and hashed; nothing else of Leadlight ever sees them."""

from features.identity.bulk import IDENTITY, identity_table
from features.identity.components import intervals
from features.identity.contacts import HASHED, hashed_contacts, hashes_of, rekeyed
from features.identity.evidence import Edge, Evidence, Held, Interval, People
from features.identity.key import Key, identity_key, needed_key
from features.identity.masking import mask_of, masked_contact
from features.identity.neighbourhood import Neighbourhood, neighbourhood

__all__ = [
    "HASHED",
    "IDENTITY",
    "Edge",
    "Evidence",
    "Held",
    "Interval",
    "Key",
    "Neighbourhood",
    "People",
    "hashed_contacts",
    "hashes_of",
    "identity_key",
    "identity_table",
    "intervals",
    "mask_of",
    "masked_contact",
    "needed_key",
    "neighbourhood",
    "rekeyed",
]
