"""The books: double entry, append-only, with the floor in the write (SPEC R1, R2). What others may use is here."""

from __future__ import annotations

from app.ledger.accounts import HOUSE, Account, Balance
from app.ledger.all_accounts import AccountPage, AccountSums, account_page, account_sums
from app.ledger.all_lines import Asked, Lines, Moved, lines
from app.ledger.audit import Audit, audit
from app.ledger.balances import balance, balance_and_totals, balances, totals
from app.ledger.blocks import HouseLine, count_blocks, house_lines
from app.ledger.chart import ENTRY_KINDS, WALLET_KINDS, ChartViolation
from app.ledger.committer import Committer
from app.ledger.ddl import install
from app.ledger.entries import AlreadyReversed, Entry, Hold, HoldEnded, Leg, Line
from app.ledger.freezing import freeze, thaw
from app.ledger.holds import expire_holds, find_hold, hold, live_holds, raise_hold, release, settle
from app.ledger.kind_words import Kind, KindWords
from app.ledger.posting import entry, find_entry, lock_account, open_account, post, reversal_of, reverse
from app.ledger.requests import MAX_AMOUNT, Posting, posting
from app.ledger.rollups import DaySum, TrialRow, by_day, roll_up, summed, trial_balance
from app.ledger.sheet import SettlementTooLarge
from app.ledger.statement import Stretch, history, history_offset, lines_of, stretch
from app.ledger.whose import whose

__all__ = [
    "ENTRY_KINDS",
    "HOUSE",
    "MAX_AMOUNT",
    "WALLET_KINDS",
    "Account",
    "AccountPage",
    "AccountSums",
    "AlreadyReversed",
    "Asked",
    "Audit",
    "Balance",
    "ChartViolation",
    "Committer",
    "DaySum",
    "Entry",
    "Hold",
    "HoldEnded",
    "HouseLine",
    "Kind",
    "KindWords",
    "Leg",
    "Line",
    "Lines",
    "Moved",
    "Posting",
    "SettlementTooLarge",
    "Stretch",
    "TrialRow",
    "account_page",
    "account_sums",
    "audit",
    "balance",
    "balance_and_totals",
    "balances",
    "by_day",
    "count_blocks",
    "entry",
    "expire_holds",
    "find_entry",
    "find_hold",
    "freeze",
    "history",
    "history_offset",
    "hold",
    "house_lines",
    "install",
    "lines",
    "lines_of",
    "live_holds",
    "lock_account",
    "open_account",
    "post",
    "posting",
    "raise_hold",
    "release",
    "reversal_of",
    "reverse",
    "roll_up",
    "settle",
    "stretch",
    "summed",
    "thaw",
    "totals",
    "trial_balance",
    "whose",
]
