"""worker: applies what providers told, sends mail, and looks after what nobody told; a loop in any process."""

from __future__ import annotations

from app.worker.process import loop, run, run_once

__all__ = ["loop", "run", "run_once"]
