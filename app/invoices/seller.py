"""The seller: whose name invoices carry, from the settings (PURSER_SELLER_…, PURSER_INVOICE_PREFIX).

Set once when a process starts, like the clock: every process of an installation has the same.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Protocol


class Installation(Protocol):
    """The settings a seller is made from."""

    @property
    def seller_name(self) -> str: ...
    @property
    def seller_address(self) -> str: ...
    @property
    def seller_country(self) -> str: ...
    @property
    def seller_tax_id(self) -> str: ...
    @property
    def seller_email(self) -> str: ...
    @property
    def invoice_prefix(self) -> str: ...
    @property
    def credit_note_prefix(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Seller:
    """Who sells. `country` also says where a buyer is taxed who has not told where they are."""

    name: str = "Purser"
    address: tuple[str, ...] = ()
    country: str = ""
    tax_id: str = ""
    email: str = ""
    invoice_prefix: str = "INV"
    credit_note_prefix: str = "CN"

    def snapshot(self) -> dict[str, Any]:
        """What an invoice keeps of it, as JSON."""
        kept = asdict(self)
        del kept["invoice_prefix"], kept["credit_note_prefix"]
        return {**kept, "address": list(self.address)}


_seller = Seller()


def current() -> Seller:
    return _seller


def use(seller: Seller) -> None:
    """Sell under this name from now on. Invoices that are finalised keep the name they have."""
    global _seller
    _seller = seller


def of(settings: Installation) -> Seller:
    """The seller the settings name. An address has its lines separated by `|`."""
    return Seller(
        name=settings.seller_name,
        address=tuple(line.strip() for line in settings.seller_address.split("|") if line.strip()),
        country=settings.seller_country,
        tax_id=settings.seller_tax_id,
        email=settings.seller_email,
        invoice_prefix=settings.invoice_prefix,
        credit_note_prefix=settings.credit_note_prefix,
    )
