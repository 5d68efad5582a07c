"""What customers are told of: one entry per kind, with its words, its tone, its mail and its outgoing webhook."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Kind:
    """`title`, `sentence` and `next` take the facts of `takes` by name, put into words when the notice is made.

    mail: "asked" is sent unless the customer switched such mails off, "always" is about their money and always sent,
    "never" stands on the page alone. `event` is the type of the outgoing webhook, if there is one.
    """

    title: str
    sentence: str
    next: str = ""  # what to do about it
    tone: Literal["pos", "warn", "neg"] = "warn"
    mail: Literal["asked", "always", "never"] = "asked"
    event: str | None = None
    letter: str = ""  # a mail of `words` that says more than the notice
    takes: str = ""  # the facts `tell` needs, besides the optional `currency` of its money


KINDS: dict[str, Kind] = {
    "usage_threshold": Kind(
        "{percent}% of your {name} are used",
        "You have used {used} of the {allowance} {name} in your plan. The count starts again on {resets_at}.",
        event="usage.threshold_reached",
        takes="meter name percent used allowance period_start resets_at",
    ),
    "usage_exhausted": Kind(
        "Your {name} are used up",
        "You have used {used} of the {allowance} {name} in your plan. {then} The count starts again on {resets_at}.",
        event="usage.threshold_reached",
        takes="meter name percent used allowance period_start resets_at then",
    ),
    "spend_cap_reached": Kind(
        "Your spend cap of {cap_micros} refused usage",
        "What goes beyond your plan has cost {spent_micros} in this period. Until {resets_at}, usage that would take "
        "it past the cap is refused.",
        "Raise the cap on the usage page if that is not what you want.",
        tone="neg",
        takes="cap_micros spent_micros resets_at",
    ),
    "payment_failed": Kind(
        "Your payment of {amount} did not go through",
        "We could not collect {amount} for {plan}, invoice {number}: {why} {next} Nothing is taken away before "
        "{grace}.",
        "Top up your wallet or replace your card: it is tried again at once.",
        tone="neg",
        mail="always",
        letter="payment_failed",
        takes="amount plan number why next grace",
    ),
    "access_restricted": Kind(
        "Your access is restricted until invoice {number} is paid",
        "{amount} for {plan} is still not paid. {next}",
        "Top up your wallet or replace your card, and everything is back at once.",
        tone="neg",
        mail="always",
        letter="access_restricted",
        takes="amount plan number next",
    ),
    "plan_ended_unpaid": Kind(
        "{plan} has ended, because it was not paid",
        "We tried several times to collect {amount}, invoice {number}, and could not. You owe nothing for it.",
        "You are on the free plan now. Your wallet and your credits are untouched.",
        tone="neg",
        mail="always",
        letter="plan_ended_unpaid",
        takes="amount plan number",
    ),
    "invoice_unpaid": Kind(
        "Your payment of {total_minor} did not go through",
        "We could not collect invoice {number}: {why} {again}",
        "Replace your card or top up your wallet: it is tried again at once.",
        tone="neg",
        mail="always",
        takes="number total_minor why again",
    ),
    "wallet_low": Kind(
        "Your wallet is down to {available_micros}",
        "You wanted to know when {threshold_micros} or less is left to spend.",
        "Top it up on the wallet page, or let it be topped up automatically.",
        event="wallet.low",
        takes="available_micros threshold_micros",
    ),
    "wallet_recovered": Kind(
        "Your wallet holds {available_micros} again",
        "There is more than {threshold_micros} to spend. We tell you when it gets low again.",
        tone="pos",
        mail="never",
        takes="available_micros threshold_micros",
    ),
    "payment_disputed": Kind(
        "Your wallet is frozen: a payment of {amount_minor} was disputed",
        "Your bank takes this payment back, so {reversed_minor} went out of your wallet. Nothing can be spent from it "
        "until the dispute is settled. What you add comes on top, and fills what is missing first.",
        "Did you not mean to? Ask your bank to withdraw the dispute, then write to us.",
        tone="neg",
        mail="always",
        takes="amount_minor reversed_minor",
    ),
    "dispute_won": Kind(
        "{reversed_minor} are back in your wallet",
        "The dispute with your bank was decided, and the payment stands. What was taken out is restored.",
        tone="pos",
        mail="always",
        takes="reversed_minor",
    ),
    "auto_topup_charged": Kind(
        "{amount_minor} was added to your wallet automatically",
        "Your wallet was down to the level you chose, so we charged {card}.",
        tone="pos",
        mail="always",
        takes="amount_minor card",
    ),
    "topup_declined": Kind(
        "Your automatic top-up of {amount_minor} did not go through",
        "{why} {again}",
        "Replace your card, or top up by hand on the wallet page.",
        tone="neg",
        mail="always",
        takes="amount_minor why again",
    ),
    "topup_to_confirm": Kind(
        "Your bank wants you to confirm a top-up of {amount_minor}",
        "Your wallet was to be topped up automatically, and your bank asks for you in person. Nothing was charged, and "
        "nothing is charged automatically until you switch it on again.",
        "Top up by hand, where you can confirm it: {link}",
        tone="neg",
        mail="always",
        takes="amount_minor link",
    ),
    "auto_topup_off": Kind(
        "Automatic top-up is switched off",
        "{why} Nothing is charged automatically any more.",
        "You can switch it on again on the wallet page.",
        tone="neg",
        mail="always",
        takes="why",
    ),
    "auto_topup_paused": Kind(
        "Automatic top-up is paused",
        "{why}",
        "You can switch it on again on the wallet page.",
        mail="always",
        takes="why",
    ),
    "refund_made": Kind(
        "{amount_minor} is on its way back to you",
        "It goes back to what you paid with. Banks take up to ten days to show it.",
        tone="pos",
        mail="always",
        takes="amount_minor",
    ),
    "refund_failed": Kind(
        "Your refund of {amount_minor} did not arrive",
        "{why} {then}",
        "Write to us, and we find another way.",
        tone="neg",
        mail="always",
        takes="amount_minor why then",
    ),
    "refund_denied": Kind(
        "Your balance is not paid back",
        "You asked for {amount_minor}. {why}",
        "Nothing has left your wallet.",
        mail="always",
        takes="amount_minor why",
    ),
    "auto_topup_ceiling": Kind(
        "Automatic top-up has reached your ceiling of {ceiling_minor}",
        "Nothing more is charged automatically before {resets_at}. Your wallet is low and is not topped up.",
        "Raise the ceiling, or top up by hand on the wallet page.",
        mail="always",
        takes="ceiling_minor resets_at",
    ),
    "plan_terms_change": Kind(
        "{plan} has new terms from {from_at}",
        "{price} {what} Until then everything stays as it is.",
        "If that does not suit you, choose another plan or cancel before then, on your plan page.",
        mail="always",
        takes="plan from_at price what",
    ),
    "plan_terms_changed": Kind(
        "{plan} has new terms",
        "{price} {what}",
        tone="pos",
        mail="always",
        takes="plan price what",
    ),
    "plan_terms_stay": Kind(
        "{plan} stays as it is",
        "We told you of new terms from {from_at}. They do not come: nothing changes.",
        tone="pos",
        mail="always",
        takes="plan from_at",
    ),
}
