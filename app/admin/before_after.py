"""What a form would change, shown before it is saved: saving anything else than was shown shows it first."""

from __future__ import annotations

from flask import request

from app import digest
from app.catalogue.difference import Differing


def shown(facts: Differing | None) -> str:
    """What the form carries once these were shown, in short; "" for nothing."""
    return digest.of(facts) if facts else ""


def was_shown(facts: Differing) -> bool:
    """Whether just these were shown before the form was sent; never for nothing."""
    return bool(facts) and request.form.get("confirmed") == shown(facts)
