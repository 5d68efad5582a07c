"""The kinds of rows the back office lists and edits beside plans, and the words for each."""

from __future__ import annotations

from dataclasses import dataclass

from app.catalogue.row_terms import RowTerms

NEW = "new-one"  # stands for the key of one that is being made; no key has a hyphen
SLASH = "~"  # of a model's name, in an address; no name has one


@dataclass(frozen=True)
class Kind:
    """A kind of row and the words for it: what goes on after one is retired, and whom a change concerns."""

    name: str
    title: str
    lede: str
    keeps: str
    changed: str
    icon: str
    one: str = ""  # what one is called, where it is not its name


KINDS = {
    "packs": Kind(
        "pack",
        "Credit packs",
        "One-time purchases. Credits never expire.",
        "Who is on its payment page can still pay.",
        "Who is on a payment page already pays what it said.",
        "pack",
    ),
    "meters": Kind(
        "meter",
        "Meters",
        "What is counted. How much of it is included, and what more costs, is said by each plan.",
        "What was counted stays.",
        "What was counted stays. How much is included is said by each plan.",
        "usage",
    ),
    "actions": Kind(
        "action",
        "Actions",
        "What costs a fixed number of credits each time.",
        "What was spent on it stays spent.",
        "It costs this from the next time on; what was spent stays spent.",
        "credits",
    ),
    "services": Kind(
        "service",
        "Services",
        "What is billed from the wallet, at list price or at cost plus a markup.",
        "What was billed stays billed.",
        "It is billed so from the next time on; what was billed stays, and so do terms negotiated with a customer.",
        "wallet",
    ),
    "llm-prices": Kind(
        "llm price",
        "Model prices",
        "What model calls cost where it is not what the price library says.",
        "Calls that were made stay as they were paid. From now on the price before it counts, or the library’s.",
        "Calls that were made stay as they were paid.",
        "usage",
        "price of a model",
    ),
}
PLURALS = "any(packs,meters,actions,services,'llm-prices')"
PLURAL_OF = {kind.name: plural for plural, kind in KINDS.items()}


def in_address(terms: RowTerms) -> str:
    """Its key as a part of an address."""
    return terms.key.replace("/", SLASH)


def key_in(address: str) -> str:
    """The key that a part of an address names."""
    return address.replace(SLASH, "/")
