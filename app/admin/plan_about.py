"""What the pages of one plan say beside its terms: its versions, who has which, who changed what, and its coupons."""

from __future__ import annotations

from typing import Any

from flask import current_app

from app import clock
from app.admin import provider_ids, words
from app.admin.roles import may_edit_catalogue
from app.catalogue import drafts, versions
from app.catalogue.edit import Listed
from app.catalogue.models import PlanDraft
from app.coupons import reads as coupons
from app.extensions import db
from app.flows.sold_by import Providers
from app.moves import reads as moves
from app.subscriptions import subscribers


def shown(found: Listed | None) -> dict[str, Any]:
    """For the templates; None is a plan that is being made."""
    if found is None:
        return {
            "plan": None,
            "versions": [],
            "counts": {},
            "happened": [],
            "makers": {},
            "drafts": [],
            "moves": [],
            "may_edit": True,
        }
    every = versions.of_plan(db.session(), found.terms.id)
    return {
        "plan": found,
        "versions": every,
        "counts": counts_of(found.terms.id),
        "makers": words.names_of(db.session(), {each.actor for each in every if each.actor}),
        "moves": moves.of_plan(db.session(), found.terms.id),
        "happened": words.of_subject(db.session(), f"plan:{found.terms.key}"),
        "coupons": coupons.good_for(db.session(), f"plan:{found.terms.key}", clock.now()),
        "drafts": drafts_told(drafts.of_plan(db.session(), found.terms.id)),
        "lacking": [] if found.retired_at else provider_ids.lacking(db.session(), found.terms, providers()),
        "may_edit": may_edit_catalogue(),
    }


def drafts_told(found: list[PlanDraft]) -> list[tuple[PlanDraft, str]]:
    """Each draft with the name of who saved it."""
    names = words.names_of(db.session(), {draft.saved_by for draft in found})
    return [(draft, names[draft.saved_by]) for draft in found]


def counts_of(plan_id: str) -> dict[int, int]:
    """The version's number to how many customers have it now, newest first."""
    found = subscribers.per_version(db.session(), plan_id)
    return {number: count for (_, number), count in sorted(found.items(), reverse=True)}


def providers() -> Providers:
    """The payment channels that are configured, by name."""
    found: Providers = current_app.extensions["providers"]
    return found
