"""examples/host_app beside the real application: what docs/host.md says happens, over real HTTP."""

from __future__ import annotations

import importlib.util
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.serving import make_server

from app.catalogue import file, publish, shipped
from app.db import transaction
from app.flows import deliver_hooks
from app.outgoing import endpoints

FILE = Path(__file__).parents[2] / "examples/host_app/host_app.py"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def serve() -> Iterator[Callable[[Flask], str]]:
    """Serves an application on a free port until the test ends; its address."""
    running = []

    def start(application: Flask) -> str:
        server = make_server("127.0.0.1", 0, application, threaded=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in running:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def product(app: Flask, serve: Callable[[Flask], str], service_key: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The example, set up by its environment alone."""
    monkeypatch.setenv("PURSER_URL", serve(app))
    monkeypatch.setenv("PURSER_SERVICE_KEY", service_key)
    spec = importlib.util.spec_from_file_location("host_app", FILE)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.mark.real_time  # the product compares the time that is signed with its own
def test_a_product_is_set_up_beside_purser(
    app: Flask, product: ModuleType, serve: Callable[[Flask], str], session: Session, engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    with transaction(session):
        publish.apply(session, file.read(shipped.text_of("view"), currency="usd"), actor="test")
        hooks = serve(product.app) + "/webhooks/purser"
        _, secret = endpoints.open_endpoint(session, hooks, (), private=True, actor="test")
    monkeypatch.setenv("PURSER_WEBHOOK_SECRET", secret)
    browser = product.app.test_client()

    # Somebody signs in, uses what the plan allows, and sees what it came to.
    browser.post("/sign-in", data={"email": "Ada@alder.example"})
    used = browser.post("/views", follow_redirects=True)
    assert "Here is your model." in used.text
    assert "Wallet: 0.00" in used.text
    assert "Views this period: 1, plan free." in used.text

    # Beyond what the plan has, Purser says no, and the product says why.
    product.purser.customer("alder.example").acquire("stores", "one")
    assert not product.purser.customer("alder.example").check("stores")["allowed"]

    # The button leads to Purser's pages, signed in as the person who pressed it, in their team, with a way back.
    link = browser.post("/billing").location
    token = re.fullmatch(r"http://localhost/portal/(\S+)", link)
    assert token
    purser = app.test_client()
    assert purser.get(f"/portal/{token[1]}").status_code == 303
    assert "alder.example" in purser.get("/").text
    assert "Back to localhost" in purser.get("/team").text

    # What happens there is heard once, however often it is sent.
    browser.post("/views")
    product.purser.customer("alder.example").report_usage([{"id": "many", "meter": "views", "quantity": 800}])
    assert deliver_hooks.deliver_due(sessionmaker(engine), private=True) == 1
    product.purser.resend(product.purser.deliveries()["deliveries"][0]["id"])
    assert deliver_hooks.deliver_due(sessionmaker(engine), private=True) == 1
    assert browser.get("/").text.count("usage.threshold_reached") == 1
    assert browser.post("/webhooks/purser", data=b"{}").status_code == 400


def test_it_says_so_when_billing_is_out_of_order(product: ModuleType) -> None:
    product.purser.close()
    product.purser = product.Purser("http://127.0.0.1:9", "pur_svc_none", retries=0)

    answer = product.app.test_client().post("/sign-in", data={"email": "ada@alder.example"})

    assert answer.status_code == 503
    assert "Billing is out of order" in answer.text
