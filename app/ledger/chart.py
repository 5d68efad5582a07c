"""The chart: every kind of ledger account and of entry, with the movements it may make. One page, on purpose.

A new kind of movement is one line in ENTRY_KINDS. Each line reads "from these accounts to those": accounts on the left
may only go down, accounts on the right may only go up. Amounts are added to accounts, so a customer's wallet shows what
we owe them as a positive number, and the house's cash shows what we took in for it as a negative one.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.ledger.accounts import Account

# Customers' accounts: a floor of zero, a stored balance, a history with a running balance.
CUSTOMER_KINDS = {
    "wallet": "prepaid money of a customer",
    "credits": "whole non-monetary units of a customer",
}

# The house's accounts: sums over their legs, no stored balance, so nobody queues behind them. "cash:stripe" is of the
# kind "cash"; the part after the colon says which provider or publisher.
HOUSE_KINDS = {
    "cash": "money at a payment provider",
    "promotions": "money and credits given away",
    "adjustments": "corrections made by staff",
    "revenue": "what we earned",
    "commission": "our share of what a publisher sold",
    "upstream_cost": "what suppliers charge us for",
    "payable": "what we owe a publisher",
    "refunds": "refunds on their way to the payment method",
    "chargebacks": "disputed payments",
    "losses": "what disputes cost us, and refunds beyond what was paid",
    "issued": "credits sold or included in a plan",
    "breakage": "what expired unspent",
    "tax": "tax collected",
}

EARNED = frozenset({"revenue", "commission", "upstream_cost", "payable", "tax"})


class ChartViolation(AssertionError):
    """A movement the chart does not know: a fault in the program, never in what a person asked for."""


@dataclass(frozen=True, slots=True)
class EntryKind:
    """What one kind of entry may do. `promo`: what it gives is promotional. `paid_first`: it takes paid money before
    promotional. `may_overdraw`: it may leave a debt (SPEC R2). `spends`: a frozen account does not do it (SPEC W5)."""

    down: frozenset[str]
    up: frozenset[str]
    promo: bool = False
    paid_first: bool = False
    may_overdraw: bool = False
    spends: bool = False


def _kind(down: str, up: str, **rules: bool) -> EntryKind:
    return EntryKind(frozenset(down.split()), frozenset(up.split()), **rules)


def _spending(down: str = "wallet") -> EntryKind:
    return EntryKind(frozenset(down.split()), EARNED, spends=True)


ENTRY_KINDS: dict[str, EntryKind] = {
    # money in
    "topup": _kind("cash", "wallet"),
    "signup_credit": _kind("promotions", "wallet", promo=True),
    "promo": _kind("promotions", "wallet credits", promo=True),
    # what came on top of a payment goes with it
    "promo_taken": _kind("wallet", "promotions"),
    # staff
    "adjustment": _kind("adjustments wallet credits", "wallet credits adjustments"),
    # spending money
    "debit": _spending(),
    "invocation": _spending(),
    "overage": _spending(),
    "compute": _spending(),
    "identity": _spending(),
    "llm": _spending(),
    "subscription": _spending(),
    "invoice": _spending(),
    # an invoice of ours that a card paid: not through the wallet
    "card_payment": _kind("cash", "revenue tax"),
    # a part of a paid period that is not used goes back where it came from: paid money, promotional money
    "subscription_return": _kind("revenue tax", "wallet"),
    "subscription_return_promo": _kind("revenue tax", "wallet", promo=True),
    # money back out
    "refund": _kind("wallet", "cash refunds", paid_first=True, spends=True),
    "refund_restored": _kind("cash refunds", "wallet"),
    "refund_paid": _kind("refunds", "cash"),
    "provider_refund": _kind("wallet", "cash losses", paid_first=True, may_overdraw=True),
    # paid back by the provider beyond what its payment was
    "refund_loss": _kind("losses", "cash"),
    "refund_loss_ended": _kind("cash", "losses"),
    # the same for what a card paid without the wallet
    "sale_refund": _kind("revenue tax", "cash refunds losses"),
    "sale_refund_restored": _kind("cash refunds", "revenue tax"),
    "chargeback": _kind("wallet", "cash chargebacks", paid_first=True, may_overdraw=True),
    "chargeback_won": _kind("cash chargebacks", "wallet"),
    "chargeback_won_promo": _kind("cash chargebacks", "wallet", promo=True),
    "dispute_closed": _kind("chargebacks losses", "cash losses"),
    "dispute_reopened": _kind("cash", "chargebacks losses"),
    "dispute_fee": _kind("cash losses", "cash losses"),
    "payout": _kind("payable", "cash"),
    # credits
    "credit_grant": _kind("promotions issued", "credits"),
    "pack": _kind("issued wallet cash", "credits revenue tax", spends=True),
    "checkin": _kind("promotions", "credits"),
    "credit_spend": _spending("credits"),
    "credit_expiry": _kind("credits", "breakage"),
    "expiry": _kind("wallet", "breakage"),
    # undoing: moves exactly what another entry moved, the other way; only `reverse` makes it
    "reversal": _kind(" ".join([*CUSTOMER_KINDS, *HOUSE_KINDS]), " ".join([*CUSTOMER_KINDS, *HOUSE_KINDS])),
}

WALLET_KINDS = tuple(name for name, rule in ENTRY_KINDS.items() if "wallet" in rule.down | rule.up)


def entry_kind(name: str) -> EntryKind:
    """The rules of a kind. Raises ChartViolation for one that is not in the chart."""
    try:
        return ENTRY_KINDS[name]
    except KeyError:
        raise ChartViolation(f"There is no entry kind {name!r} in the chart.") from None


def check_account(account: Account) -> None:
    """Raises ChartViolation unless the account is one the chart knows, on the right side of the house's door."""
    known = HOUSE_KINDS if account.is_house else CUSTOMER_KINDS
    if account.kind.partition(":")[0] not in known:
        raise ChartViolation(f"The chart has no account {account}.")


def check_movement(name: str, rule: EntryKind, account: Account, amount: int) -> None:
    """Raises ChartViolation when this kind of entry may not move this account in this direction."""
    check_account(account)
    if account.kind.partition(":")[0] not in (rule.up if amount > 0 else rule.down):
        direction = "credit" if amount > 0 else "debit"
        raise ChartViolation(f"An entry of kind {name!r} may not {direction} {account}.")
