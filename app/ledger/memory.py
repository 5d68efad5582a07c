"""What this process remembers of accounts and live holds between batches, so that the next need not read them first.

Never trusted: whatever is computed from it is written only if each account's revision is still the remembered one.
Everything that happens to an account or to its holds raises the revision, whoever does it.
"""

from __future__ import annotations

from collections.abc import Sequence

from app import clock
from app.ledger.accounts import Account
from app.ledger.entries import Hold
from app.ledger.requests import Holding, Posting, Request
from app.ledger.rules import State
from app.ledger.sheet import Key, Sheet

_MOST = 20_000  # accounts; about a kilobyte each
_QUARANTINE = 50  # batches during which an account another process also writes is read first


class Memory:
    """Account states and live holds as the last committed batch left them."""

    def __init__(self) -> None:
        self._states: dict[Account, State] = {}
        self._holds: dict[Account, dict[Key, Hold]] = {}
        self._account_of: dict[Key, Account] = {}
        self._contended: dict[Account, int] = {}
        self._batch = 0

    def sheet(self, requests: Sequence[Request]) -> Sheet | None:
        """A sheet filled from memory, or None if anything these requests need is not remembered."""
        self._batch += 1
        sheet = Sheet(now=clock.now())
        for request in requests:
            if isinstance(request, Posting):
                if request.reverses is not None:
                    return None
                accounts = request.accounts
            elif isinstance(request, Holding):
                if request.raises:  # holds are not remembered by key
                    return None
                accounts = [request.account]
            else:
                key = (request.customer_id, request.hold_id)
                account = self._account_of.get(key)
                if account is None or account not in self._states:
                    return None
                sheet.holds[key] = self._holds[account][key]
                accounts = [account]
            for account in accounts:
                state = self._states.get(account)
                if state is None or (self._contended and self._batch < self._contended.get(account, 0)):
                    return None
                sheet.states[account] = state
        return sheet

    def keep(self, sheet: Sheet) -> None:
        """Remember what a committed sheet left behind."""
        for account, state in sheet.states.items():
            if not state.stored:
                continue
            if state.dirty:
                state.revision += 1
                state.dirty = False
            if self._states.get(account) is not state:
                self._drop(account)
                self._states[account] = state
        for key, hold in sheet.holds.items():
            if hold.state == "held" and hold.account in self._states:
                self._holds.setdefault(hold.account, {})[key] = hold
                self._account_of[key] = hold.account
            elif self._account_of.pop(key, None) is not None:
                self._holds[hold.account].pop(key, None)
        while len(self._states) > _MOST:
            self._drop(next(iter(self._states)))

    def forget(self, sheet: Sheet) -> None:
        """Drop the accounts of a sheet that was not written: their states have been changed in vain."""
        for account in sheet.states:
            self._drop(account)

    def contended(self, sheet: Sheet) -> None:
        """Another process writes these accounts too: guessing would fail again and again."""
        if len(self._contended) > _MOST:
            self._contended.clear()
        for account in sheet.states:
            self._contended[account] = self._batch + _QUARANTINE

    def _drop(self, account: Account) -> None:
        self._states.pop(account, None)
        for key in self._holds.pop(account, {}):
            self._account_of.pop(key, None)
