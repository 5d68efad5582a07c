"""What a movement does to an account: the floor, holds, debt and promotional money, as arithmetic.

The only implementation of these rules. `post` in a caller's transaction and the group committer both compute with it,
under the account's lock; the databases' CHECKs and triggers stand behind it as a second witness.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from app.errors import InsufficientFunds, Invalid, WalletFrozen
from app.ledger.accounts import Account
from app.ledger.chart import EntryKind
from app.ledger.requests import MAX_BALANCE

_CREDITS = "credits"


@dataclass(slots=True)
class State:
    """One customer account as it stands inside the transaction that holds its lock."""

    account: Account
    balance: int = 0
    held: int = 0
    debt: int = 0
    promo: int = 0
    version: int = 0
    revision: int = 0
    tallies: dict[str, list[int]] = field(default_factory=dict)
    moved_at: datetime | None = None
    frozen: bool = False
    stored: bool = True
    dirty: bool = False


class Change(NamedTuple):
    """What the account will be after a movement that is allowed; nothing has changed yet."""

    balance: int
    held: int
    promo: int


def movement(state: State, rule: EntryKind, amount: int, *, promo_back: int | None = None, unhold: int = 0) -> Change:
    """The account after adding `amount` and giving back `unhold` of what is held.

    Raises InsufficientFunds if the available amount would fall below zero, or deeper below it, unless the kind may
    overdraw or a hold is being settled; WalletFrozen for spending from a frozen account, save by settling what was held
    before. `promo_back` is a reversal's exact promotional change.
    """
    if state.frozen and amount < 0 and rule.spends and not unhold:
        raise frozen(state.account)
    balance, held = state.balance + amount, state.held - unhold
    if max(0, held - balance) > state.debt and not (rule.may_overdraw or unhold):
        raise short(state.account, state.balance - state.held, -amount)
    if abs(balance) > MAX_BALANCE:
        raise Invalid("This account cannot hold that much.", field="amount", maximum=MAX_BALANCE)
    return Change(balance, held, _promo(state.promo, balance, rule, amount, promo_back))


def _promo(promo: int, balance_after: int, rule: EntryKind, amount: int, promo_back: int | None) -> int:
    """The promotional part afterwards: spent first (W1), refunded last, and never more than there is."""
    cap = max(0, balance_after)
    if promo_back is not None:
        return min(max(0, promo + promo_back), cap)
    if amount > 0:
        return min(promo + amount, cap) if rule.promo else min(promo, cap)
    if rule.paid_first:
        return min(promo, cap)
    return min(max(0, promo + amount), cap)


def commit_change(state: State, change: Change) -> None:
    """Make the change. Debt is always exactly the hole below zero: it shrinks by itself with every credit."""
    state.balance, state.held, state.promo = change
    state.debt = max(0, state.held - state.balance)
    state.dirty = True


def tally(state: State, kind: str, amount: int) -> int:
    """Count a leg in the account's tallies; answers how many of this kind the account has now."""
    state.version += 1
    kept = state.tallies.get(kind)
    if kept is None:
        kept = state.tallies[kind] = [0, 0, 0]
    kept[0] += 1
    kept[1 if amount > 0 else 2] += abs(amount)
    return kept[0]


def set_aside(state: State, amount: int) -> None:
    """Hold an amount. Raises InsufficientFunds when less is available, WalletFrozen when the account is frozen."""
    if state.frozen:
        raise frozen(state.account)
    if state.balance - state.held < amount:
        raise short(state.account, state.balance - state.held, amount)
    commit_change(state, Change(state.balance, state.held + amount, state.promo))


def give_back(state: State, amount: int) -> None:
    """End a hold without spending it."""
    commit_change(state, Change(state.balance, state.held - amount, state.promo))


def short(account: Account, available: int, needed: int) -> InsufficientFunds:
    """The refusal, with its figures: in micros for money, in units for credits (SPEC R8)."""
    if account.asset == _CREDITS:
        sentence = f"This needs {needed:,} credits and {max(0, available):,} are available."
        return InsufficientFunds(sentence, available=available, needed=needed)
    sentence = (
        f"This needs {_shown(needed, account.asset)} and {_shown(max(0, available), account.asset)} is available."
    )
    return InsufficientFunds(sentence, available_micros=available, needed_micros=needed)


def frozen(account: Account) -> WalletFrozen:
    """The refusal of a frozen account, whatever it holds."""
    return WalletFrozen(
        f"The {account.kind} is frozen, so nothing can be spent from it until it is thawed. Money can still be added.",
        account=account.kind,
        remedy="The wallet's page says why it is frozen. Settle that, or write to us.",
    )


def _shown(micros: int, asset: str) -> str:
    whole, part = divmod(micros, 1_000_000)
    digits = f"{part:06d}".rstrip("0").ljust(2, "0")
    return f"{'$' if asset == 'usd' else ''}{whole:,}.{digits}{'' if asset == 'usd' else ' ' + asset.upper()}"
