"""Stripe's own description of its API, and the check that what we send and answer agrees with it."""

from app.sandbox.spec.check import SpecCheck, pinned
from app.sandbox.spec.form import decode_form

__all__ = ["SpecCheck", "decode_form", "pinned"]
