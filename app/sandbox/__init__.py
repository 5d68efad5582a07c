"""A server that speaks Stripe's HTTP protocol and moves no money. It imports nothing of the rest."""

from app.sandbox.application import create_sandbox
from app.sandbox.config import SandboxConfig, SandboxRefuses
from app.sandbox.deliverer import deliver_due
from app.sandbox.server import Running, running_sandbox, start_delivery

__all__ = [
    "Running",
    "SandboxConfig",
    "SandboxRefuses",
    "create_sandbox",
    "deliver_due",
    "running_sandbox",
    "start_delivery",
]
