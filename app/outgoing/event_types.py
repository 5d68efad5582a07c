"""What the host product can be told of: the types of SPEC §12.4, each with a sentence for whoever chooses them."""

from __future__ import annotations

EVENT_TYPES: dict[str, str] = {
    "usage.threshold_reached": "A customer used up a part of an allowance that they asked to be told of.",
    "wallet.low": "A wallet fell to the level at which its customer wants to know, or below.",
    "wallet.credited": "Money came into a wallet: a top-up, or staff put it there.",
    "subscription.changed": "A subscription began, changed its plan or its state, or ended.",
    "invoice.paid": "An invoice was paid, by card or from the wallet.",
    "payment.failed": "A payment did not go through: for an invoice, or for a top-up.",
}
