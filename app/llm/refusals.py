"""What a model call is turned down with, in codes of its own (SPEC §6)."""

from __future__ import annotations

from app.errors import InsufficientFunds, Refusal


class WalletEmpty(InsufficientFunds):
    """The wallet cannot pay for the input and one token of output. Details: available_micros, needed_micros."""

    code = "wallet-empty"

    def __init__(self, available: int, needed: int) -> None:
        sentence = "There is not enough in the wallet for this call. Top up, then send it again."
        super().__init__(sentence, available_micros=available, needed_micros=needed)


class UpstreamRefused(Refusal):
    """The model's provider refused the request itself; nothing was charged. Details: upstream, upstream_status."""

    code = "upstream-refused"


class UpstreamBusy(Refusal):
    """The model's provider has no room right now; nothing was charged. Details: upstream, retry_after in seconds."""

    code = "upstream-busy"


class UpstreamFailed(Refusal):
    """The model's provider failed, or its answer broke off; nothing was charged. Details: upstream."""

    code = "upstream-failed"


class UpstreamTimeout(UpstreamFailed):
    """The model's provider took too long; nothing was charged. Details: upstream."""

    code = "upstream-timeout"
