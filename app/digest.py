"""A digest of content: what two things that are the same have in common, in 64 letters."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def of(content: Any) -> str:
    """SHA-256, in hex, over the content as JSON: the same in whatever order a mapping holds its names.

    Kept digests are compared with new ones (the audit log's seals, keyed answers): what is written here stays as it is.
    """
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
