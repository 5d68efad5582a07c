"""Credits: whole units bought, granted and spent, each movement written down per grant. What others may use is here."""

from __future__ import annotations

from app.credits.adjust import adjust
from app.credits.grants import Grant, find_grant, grant
from app.credits.reads import CreditBalance, balance
from app.credits.reverse import CreditsSpent, NotReversible, give_back_revoked, reverse, revoke
from app.credits.spending import Quote, Spent, UnknownAction, quote, spend

__all__ = [
    "CreditBalance",
    "CreditsSpent",
    "Grant",
    "NotReversible",
    "Quote",
    "Spent",
    "UnknownAction",
    "adjust",
    "balance",
    "find_grant",
    "give_back_revoked",
    "grant",
    "quote",
    "reverse",
    "revoke",
    "spend",
]
