"""The audit log: who changed what, when, and which rows it touched; written once, never edited (SPEC R10)."""

from __future__ import annotations

from app.activity.reads import Page, of_everyone, since
from app.activity.record import record

__all__ = ["Page", "of_everyone", "record", "since"]
