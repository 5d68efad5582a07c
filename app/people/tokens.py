"""Random secrets we hand out once and keep only as a hash: session tokens, mailed links, API keys.

They have 256 random bits, so one round of SHA-256 is enough: there is nothing to guess that a slow hash would protect.
"""

from __future__ import annotations

import hashlib
import secrets

BYTES = 32


def fresh() -> str:
    """A new secret, 43 characters fit for a URL and a cookie."""
    return secrets.token_urlsafe(BYTES)


def hashed(secret: str) -> str:
    """What we store: SHA-256 in hex. Any text may come in, also what no secret of ours looks like."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
