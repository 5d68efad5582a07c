"""jobs: what each of the worker's tasks did last, and when it is asked again; for staff to see that it lives."""

from __future__ import annotations

from app.jobs.notes import Note, Notes, keep
from app.jobs.reads import all_tasks

__all__ = ["Note", "Notes", "all_tasks", "keep"]
