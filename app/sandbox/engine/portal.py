"""The portal's configuration that every account has from the start."""

from __future__ import annotations

from app.sandbox.blanks import Object
from app.sandbox.tx import Tx


def default_configuration(tx: Tx) -> Object:
    """The one used when a session names none."""
    return tx.every("billing_portal.configuration", is_default=True)[0]


def prepare(tx: Tx) -> None:
    """Make the default configuration, once per database."""
    if not tx.every("billing_portal.configuration", is_default=True):
        tx.new("billing_portal.configuration", is_default=True, updated=tx.now)
