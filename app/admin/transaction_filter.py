"""Which transactions staff look at: of whom, in which account, of what type and size, on which days."""

from __future__ import annotations

from typing import Any

from flask import request
from wtforms import StringField
from wtforms.validators import ValidationError

from app.credits import words as credit_words
from app.errors import Refusal
from app.figures.days import SPENT
from app.http.day_range import DayRangeForm
from app.http.filters import default_currency
from app.ledger import MAX_AMOUNT, Asked
from app.money import minor_to_micros, parse_minor
from app.wallet import kinds as wallet_kinds

ACCOUNTS = (("", "Wallets and credits"), ("wallet", "Wallets"), ("credits", "Credits"))
_LONGEST = 255

# Word in an address -> what it is called, and the ledger's kinds behind it.
TYPES: dict[str, tuple[str, tuple[str, ...]]] = {
    "spending": ("All spending from wallets", SPENT),
    **{word: (title, tuple(wallet_kinds.of_type(word))) for word, title in wallet_kinds.TYPES},
    **{
        f"credit_{kind.api}": (f"Credits: {kind.title.lower()}", (kind.ledger,))
        for kind in credit_words.KINDS
        if kind.ledger not in wallet_kinds.OF_LEDGER
    },
}


class TransactionFilter(DayRangeForm):
    """The filter as people type it. Days are those of the books, in UTC."""

    account = StringField()
    type = StringField()
    customer = StringField()
    entry = StringField()
    least = StringField()
    most = StringField()

    @classmethod
    def from_address(cls) -> TransactionFilter:
        """The filter of this request, validated; its errors say what was ignored."""
        form = cls(formdata=request.args)
        form.validate()
        return form

    def validate_account(self, field: StringField) -> None:
        if field.data and field.data not in dict(ACCOUNTS):
            raise ValidationError("Choose one of these.")

    def validate_type(self, field: StringField) -> None:
        if field.data and field.data not in TYPES:
            raise ValidationError("Choose one of these.")

    def validate_least(self, field: StringField) -> None:
        self._size(field)

    def validate_most(self, field: StringField) -> None:
        self._size(field)

    @property
    def asked(self) -> Asked:
        """What to read; a filter that is wrong shows everything, with its error beside it."""
        if self.errors:
            return Asked()
        kinds = TYPES[self.type.data][1] if self.type.data else None
        said = self.words("entry")
        return Asked(
            account="wallet" if self.type.data == "spending" else self.account.data or None,
            kinds=kinds,
            customer_id=self.words("customer") or None,
            least=self._size(self.least),
            most=self._size(self.most),
            first_day=self.since.day,
            last_day=self.until.day,
            entry_id=said if said.startswith("wtxn_") else None,
            key=said if said and not said.startswith("wtxn_") else None,
        )

    @property
    def query(self) -> dict[str, Any]:
        """The filter as it stands in an address."""
        named = {name: self.words(name) for name in ("account", "type", "customer", "entry", "least", "most")}
        return {**{name: value for name, value in named.items() if value}, **self.days}

    def words(self, name: str) -> str:
        return self.typed(name).strip()[:_LONGEST]

    def _size(self, field: StringField) -> int | None:
        """In the unit of the account chosen: micros of the currency, or credits."""
        typed = (field.data or "").strip()
        if not typed:
            return None
        if not self.account.data:
            raise ValidationError("Choose wallets or credits first, so that the amount has a unit.")
        if self.account.data == "credits":
            if not typed.isascii() or not typed.isdigit() or len(typed) > 15:
                raise ValidationError("Enter a whole number of credits.")
            return int(typed)
        try:
            micros = minor_to_micros(parse_minor(typed, default_currency()), default_currency())
        except Refusal as refusal:
            raise ValidationError(refusal.sentence) from refusal
        if micros > MAX_AMOUNT:
            raise ValidationError("No amount is as large as this.")
        return micros
