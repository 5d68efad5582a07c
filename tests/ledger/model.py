"""What one wallet must do, told again in plain Python without a database: the oracle of the state machine."""

from __future__ import annotations

from dataclasses import dataclass, field

OVERDRAWS = {"chargeback", "provider_refund"}
SPENDS = {"debit", "overage", "refund", "llm"}
PAID_FIRST = {"refund", "provider_refund", "chargeback"}


@dataclass
class ModelHold:
    amount: int
    minutes: int
    state: str = "held"
    settled: int | None = None


@dataclass
class ModelEntry:
    kind: str
    amount: int
    promo: int
    balance_after: int
    reversed: bool = False


@dataclass
class ModelWallet:
    """Balance, promotional part and holds, and every line so far."""

    balance: int = 0
    promo: int = 0
    frozen: bool = False
    lines: dict[str, ModelEntry] = field(default_factory=dict)
    holds: dict[str, ModelHold] = field(default_factory=dict)

    @property
    def held(self) -> int:
        return sum(hold.amount for hold in self.holds.values() if hold.state == "held")

    @property
    def available(self) -> int:
        return self.balance - self.held

    @property
    def debt(self) -> int:
        return -self.available if self.available < 0 else 0

    def why_not(self, kind: str, amount: int) -> str:
        """What refuses this movement; "" when nothing does."""
        if self.frozen and kind in SPENDS:
            return "frozen"
        return "" if self.can_move(kind, amount) else "short"

    def can_move(self, kind: str, amount: int) -> bool:
        return amount > 0 or kind in OVERDRAWS or self.available + amount >= 0

    def move(self, id_: str, kind: str, amount: int, gives_back: int | None = None) -> None:
        self.balance += amount
        most = max(0, self.balance)
        before = self.promo
        if gives_back is not None:
            wanted = self.promo + gives_back
        elif kind == "promo":
            wanted = self.promo + amount
        elif amount > 0 or kind in PAID_FIRST:
            wanted = self.promo
        else:
            wanted = self.promo + amount
        self.promo = sorted((0, wanted, most))[1] if wanted > 0 else 0
        self.lines[id_] = ModelEntry(kind, amount, self.promo - before, self.balance)

    def totals(self) -> dict[str, tuple[int, int, int]]:
        found: dict[str, tuple[int, int, int]] = {}
        for line in self.lines.values():
            count, came, went = found.get(line.kind, (0, 0, 0))
            found[line.kind] = (count + 1, came + max(0, line.amount), went + max(0, -line.amount))
        return found
