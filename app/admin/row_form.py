"""The form of one meter, pack or action: what is typed as terms, and terms as texts to type in."""

from __future__ import annotations

import hashlib
import json

from app.admin.typed import Typed
from app.catalogue.difference import Change
from app.catalogue.edit_rows import RowTerms, RowWrong
from app.catalogue.terms import ActionTerms, MeterTerms, PackTerms, written_price
from app.http.filters import default_currency

HINT = {"price_minor": "price"}  # the input of a term that is called otherwise


def blank(place: int) -> Typed:
    """The empty form, whose row would come at this place."""
    return Typed({"position": str(place)})


def of_terms(terms: RowTerms) -> Typed:
    """What is on offer, as texts."""
    values = {"name": terms.name, "position": str(terms.position)}
    if isinstance(terms, MeterTerms):
        values["unit"] = terms.unit
    else:
        values["credits"] = f"{terms.credits:,}"
    if isinstance(terms, PackTerms):
        values["price"] = written_price(terms.price_minor, terms.currency)
    return Typed(values)


def terms_of(kind: str, typed: Typed, before: RowTerms | None, *, place: int) -> RowTerms:
    """What was typed; mistakes are left in the form. The key, and what the form does not show, stay as they were."""
    key = before.key if before else typed.line("key")
    name = typed.line("name")
    position = typed.whole("position", blank=before.position if before else place)
    position = 0 if position is None else position
    if kind == "meter":
        return MeterTerms(key, name, typed.line("unit"), position)
    credits_in_it = typed.whole("credits", blank=0, least=1) or 0
    if kind == "action":
        return ActionTerms(key, name, credits_in_it, position)
    known = before if isinstance(before, PackTerms) else None
    currency = known.currency if known else default_currency()
    return PackTerms(
        key, name, credits_in_it, currency, typed.price("price") or 0, position, known.provider_ids if known else {}
    )


def refuse(typed: Typed, wrong: RowWrong) -> None:
    """Put each mistake of the domain beside its field."""
    for each in wrong.details["mistakes"]:
        typed.wrong(HINT.get(each["field"], each["field"]), each["message"])


def digest(change: Change | None) -> str:
    """What was shown before it was confirmed, in short; "" for nothing."""
    if change is None:
        return ""
    return hashlib.sha256(json.dumps(change.data(), sort_keys=True).encode()).hexdigest()[:32]
