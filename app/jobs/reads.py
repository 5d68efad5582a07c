"""The worker's tasks for pages."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.jobs.models import WorkerTask


def all_tasks(session: Session) -> list[WorkerTask]:
    """Every task that ever ran here, by name."""
    return list(session.scalars(select(WorkerTask).order_by(WorkerTask.name)))
