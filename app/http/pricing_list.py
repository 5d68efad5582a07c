"""What the price list shows of a catalogue: the one on offer, or one that staff look at before they publish it."""

from __future__ import annotations

from email.utils import parseaddr
from typing import Any

from app.catalogue.terms import Catalogue
from app.config import Settings
from app.http import pricing_table


def shown(catalogue: Catalogue, settings: Settings, *, yearly: bool, preview: bool = False) -> dict[str, Any]:
    """What `pricing/_plans.html` is rendered with. In a preview nothing can be bought."""
    services = [(one.name, pricing_table.service_price(one, settings.markup_percent)) for one in catalogue.services]
    return {
        "yearly": yearly,
        "has_yearly": any(plan.yearly_minor is not None for plan in catalogue.plans),
        "months_free": pricing_table.months_free(catalogue.plans),
        "cards": pricing_table.cards(catalogue, yearly=yearly),
        "sections": pricing_table.sections(catalogue),
        "catalogue": catalogue,
        "services": services,
        "contact": contact_of(settings),
        "preview": preview,
    }


def contact_of(settings: Settings) -> str:
    """Where to write about a custom plan: the address mails come from, unless it is only this machine."""
    address = parseaddr(settings.mail_from)[1]
    return "" if address.endswith("@localhost") else address
