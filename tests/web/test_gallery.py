"""The gallery: every state renders, keeps the house rules, and is not there in production."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app import create_app
from app.extensions import db
from app.web.gallery import STATES
from tests.support.tree import under


@pytest.mark.parametrize("name", ["", *STATES])
def test_a_state_renders_by_the_house_rules(client, name):
    answer = client.get(f"/gallery/{name}" if name else "/gallery")

    assert answer.status_code == 200


def test_an_unknown_state_is_not_there(client):
    assert client.get("/gallery/nothing").status_code == 404


def test_every_partial_of_these_pages_is_in_it():
    # They repeat an id of the page they are swapped into.
    swapped_alone = {"waiting/_news.html", "usage/_limits_news.html", "check_in/_news.html", "check_in/_panels.html"}
    within = {"usage/_lede.html", "usage/_none.html", "usage/_sources.html", "usage/_table.html"}
    shown = {template for template, _ in STATES.values()} | swapped_alone | within

    for folder in ("wallet", "overview", "usage", "check_in"):
        partials = {f"{folder}/{path.name}" for path in under(f"templates/{folder}", ".html") if path.name[0] == "_"}
        assert partials <= shown


def test_production_has_no_gallery(settings):
    real = replace(settings, env="production", secret_key="s" * 40, stripe_api_base="", password_memory_kib=19_456)
    app = create_app(real)

    assert app.test_client().get("/gallery").status_code == 404
    with app.app_context():
        db.engine.dispose()
