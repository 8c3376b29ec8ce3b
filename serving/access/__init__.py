"""Who may ask: API keys, what their scopes allow, and the guard before every route."""

from serving.access.guard import Access, Guard, allowed, document
from serving.access.keys import SCOPES, Key, Keys, Scope, has_keys

__all__ = ["SCOPES", "Access", "Guard", "Key", "Keys", "Scope", "allowed", "document", "has_keys"]
