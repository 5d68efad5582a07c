"""The test cards and bank accounts: what each one does when it is used."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Decline:
    """Why a bank says no, in Stripe's codes and words."""

    code: str
    decline_code: str | None
    message: str
    advice: str = "try_again_later"
    network_code: str | None = None


DECLINED = Decline("card_declined", "generic_decline", "Your card was declined.", network_code="05")
POOR = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.", network_code="51")
EXPIRED = Decline("expired_card", "expired_card", "Your card has expired.", "do_not_try_again", "54")
WRONG_CVC = Decline("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.", "confirm_card_data")
NOT_PROCESSED = Decline(
    "processing_error", "processing_error", "An error occurred while processing your card. Try again in a little bit."
)
UNAUTHENTICATED = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)
NOT_CONFIRMED = Decline(
    "payment_intent_authentication_failure",
    None,
    "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
)


@dataclass(frozen=True)
class Card:
    """`asks` says when the bank wants 3-D Secure: never, always, or unless the card was saved with it before."""

    number: str
    title: str  # for the choice on the checkout page
    brand: str = "visa"
    alias: str = ""  # the id under which Stripe's SDK users know it, such as pm_card_visa
    decline: Decline | None = None
    asks: str = "never"
    saves: bool = True  # whether it can be saved even though it declines charges
    listed: bool = True

    @property
    def last4(self) -> str:
        return self.number[-4:]


CARDS = (
    Card("4242424242424242", "Pays at once", alias="pm_card_visa"),
    Card("4000000000000002", "Is declined", alias="pm_card_chargeDeclined", decline=DECLINED, saves=False),
    Card(
        "4000000000009995",
        "Has insufficient funds",
        alias="pm_card_chargeDeclinedInsufficientFunds",
        decline=POOR,
        saves=False,
    ),
    Card("4000002500003155", "Asks for 3-D Secure", alias="pm_card_authenticationRequiredOnSetup", asks="unless_saved"),
    Card(
        "4000002760003184",
        "Asks for 3-D Secure every time",
        alias="pm_card_authenticationRequired",
        asks="always",
        listed=False,
    ),
    Card(
        "4000008260003178",
        "3-D Secure, then insufficient funds",
        asks="always",
        decline=POOR,
        listed=False,
        alias="pm_card_authenticationRequiredChargeDeclinedInsufficientFunds",
    ),
    Card(
        "4000000000000341",
        "Saves, then declines each charge",
        alias="pm_card_chargeCustomerFail",
        decline=DECLINED,
        listed=False,
    ),
    Card(
        "4000000000000069",
        "Has expired",
        alias="pm_card_chargeDeclinedExpiredCard",
        decline=EXPIRED,
        saves=False,
        listed=False,
    ),
    Card(
        "4000000000000127",
        "Wrong security code",
        alias="pm_card_chargeDeclinedIncorrectCvc",
        decline=WRONG_CVC,
        saves=False,
        listed=False,
    ),
    Card(
        "4000000000000119",
        "Processing error",
        alias="pm_card_chargeDeclinedProcessingError",
        decline=NOT_PROCESSED,
        saves=False,
        listed=False,
    ),
    Card("5555555555554444", "Pays", brand="mastercard", alias="pm_card_mastercard", listed=False),
    Card("378282246310005", "Pays", brand="amex", alias="pm_card_amex", listed=False),
)


@dataclass(frozen=True)
class BankAccount:
    """A debit that the bank settles days after checkout, or refuses then."""

    number: str
    title: str
    alias: str
    failure: Decline | None = None

    @property
    def last4(self) -> str:
        return self.number[-4:]


CLOSED = Decline("account_closed", None, "The customer's bank account has been closed.", "do_not_try_again", "R02")

BANK_ACCOUNTS = (
    BankAccount("000123456789", "Bank debit, pays days later", "pm_usBankAccount_success"),
    BankAccount("000111111116", "Bank debit, fails days later", "pm_usBankAccount_accountClosed", CLOSED),
)

Source = Card | BankAccount

_BY_NUMBER: dict[str, Source] = {each.number: each for each in (*CARDS, *BANK_ACCOUNTS)}
_BY_ALIAS: dict[str, Source] = {each.alias: each for each in (*CARDS, *BANK_ACCOUNTS)}


def source(number: str) -> Source | None:
    """The test card or account of this number (spaces allowed), or None: no other number may ever be typed here."""
    return _BY_NUMBER.get(number.replace(" ", ""))


def source_of_alias(alias: str) -> Source | None:
    """The card behind one of the fixed ids that tests use, or None."""
    return _BY_ALIAS.get(alias)
