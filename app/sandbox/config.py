"""What one sandbox is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

MINUTE, HOUR, DAY = 60, 3600, 86400


class SandboxRefuses(Exception):
    """The sandbox will not start like this; the sentence says why."""


@dataclass(frozen=True)
class SandboxConfig:
    """All times are whole seconds. Raises SandboxRefuses for a live key: nothing here may ever meet real money."""

    database: Path | str
    secret_key: str = field(default="sk_test_sandbox", repr=False)  # the only key accepted
    base_url: str = ""  # where people reach its pages, with the prefix it is mounted under; empty: as asked for
    webhook_url: str = ""  # where events go; empty: nowhere until an endpoint is created by API
    webhook_secret: str = field(default="", repr=False)
    clock_file: Path | str | None = None  # holds the seconds to add to the real time; None: kept in the database
    still_at: int | None = None  # epoch seconds at which time stands until it is moved; None: it runs
    strict: bool = False  # answer 500 when an answer or event of ours is not what Stripe describes
    checks_events: bool = True  # whether each event is held against Stripe's description; long simulations need not
    tax_basis_points: int = 0  # of exclusive prices, when a session asks for automatic tax
    shuffle: bool = True  # events of one moment are delivered in any order, as in real life
    duplicate_percent: int = 0  # how many events are delivered twice, by chance
    latency_ms: int = 0  # how long each write takes, for those who test impatience
    debit_after: int = 3 * DAY  # a bank debit settles this long after checkout
    draft_for: int = 0  # how long a renewal's invoice stays a draft; Stripe lets an hour pass
    dunning_days: tuple[int, ...] = (2, 7, 14, 21)  # after the due date, when a failed renewal is tried again
    retry_after: tuple[int, ...] = (2, 10, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, 12 * HOUR, DAY, DAY)

    def __post_init__(self) -> None:
        if "_live_" in self.secret_key or "_live_" in self.webhook_secret:
            raise SandboxRefuses(
                "The sandbox takes no live key: it moves no money, and a live key has no business here."
            )
        if not self.secret_key.startswith("sk_test_"):
            raise SandboxRefuses("The sandbox's key must look like Stripe's test keys: sk_test_…")
        if self.webhook_url and not self.webhook_secret:
            raise SandboxRefuses("A webhook address needs its secret, or nobody could verify what we send.")
