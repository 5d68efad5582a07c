"""Which transactions staff look at: of whom, in which account, of what type and size, on which days."""

from __future__ import annotations

from wtforms import StringField
from wtforms.validators import ValidationError

from app.admin.sized import SizedFilter, minor_of
from app.credits import words as credit_words
from app.figures.days import SPENT
from app.http.filters import default_currency
from app.ledger import MAX_AMOUNT, Asked
from app.money import minor_to_micros
from app.wallet import kinds as wallet_kinds

ACCOUNTS = (("", "Both"), ("wallet", "Wallets"), ("credits", "Credits"))

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


class TransactionFilter(SizedFilter):
    """The filter as people type it. Days are those of the books, in UTC."""

    NAMED = ("account", "type", "customer", "entry", "least", "most")
    LONGEST = 255

    account = StringField()
    type = StringField()
    customer = StringField()
    entry = StringField()

    def validate_account(self, field: StringField) -> None:
        if field.data and field.data not in dict(ACCOUNTS):
            raise ValidationError("Choose one of these.")

    def validate_type(self, field: StringField) -> None:
        if field.data and field.data not in TYPES:
            raise ValidationError("Choose one of these.")

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
            least=self.size(self.least),
            most=self.size(self.most),
            first_day=self.since.day,
            last_day=self.until.day,
            entry_id=said if said.startswith("wtxn_") else None,
            key=said if said and not said.startswith("wtxn_") else None,
        )

    def size(self, field: StringField) -> int | None:
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
        micros = minor_to_micros(minor_of(typed), default_currency())
        if micros > MAX_AMOUNT:
            raise ValidationError("No amount is as large as this.")
        return micros
