"""A product that shows 3D models, with Purser beside it for all that is about money. docs/host.md walks through it."""

from __future__ import annotations

import os
import secrets
import uuid

from flask import Flask, redirect, render_template_string, request, session, url_for
from flask.typing import ResponseReturnValue
from purser_client import Event, Purser, PurserError, WebhookInvalid, verify_webhook

PAGE = """<!doctype html><html lang="en"><title>Models</title><h1>Models</h1><p>{{ said }}</p>
{% if not email %}<form method="post" action="/sign-in"><label>Email <input name="email" type="email" required></label>
<button>Sign in</button></form>
{% else %}<p>{{ email }} of {{ session.team }}. Wallet: {{ "%.2f" % (balance.available_cents / 100) }}.
Views this period: {{ balance.usage.views or 0 }}, plan {{ balance.tier }}.</p>
<form method="post" action="/views"><button>View a model</button></form>
<form method="post" action="/billing"><button>Billing</button></form>
<ul>{% for event in heard %}<li>{{ event.type }} at {{ event.timestamp }}</li>{% endfor %}</ul>{% endif %}"""

app = Flask(__name__)
app.secret_key = os.environ.get("HOST_SECRET_KEY") or secrets.token_hex()
app.config.update(SESSION_COOKIE_NAME="models", SESSION_COOKIE_SAMESITE="Lax")  # ports share cookies: not "session" too
purser = Purser(os.environ["PURSER_URL"], os.environ["PURSER_SERVICE_KEY"])
heard: dict[str, Event] = {}  # by id, since a message may come twice; yours belong into your database


@app.get("/")
def home() -> str:
    email = session.get("email")
    balance = purser.customer(session["team"]).balance() if email else None
    mine = [event for event in heard.values() if event.external_id == session.get("team")]
    return render_template_string(PAGE, email=email, balance=balance, heard=mine, said=request.args.get("said", ""))


@app.post("/sign-in")
def sign_in() -> ResponseReturnValue:
    """A stand-in: your product has a real one. A team is who pays; here it is the domain of the address."""
    session["email"] = email = request.form["email"].strip().lower()
    session["team"] = team = email.partition("@")[2]
    purser.open_customer(team, name=team, email=f"billing@{team}")  # the second time it is there already
    return redirect("/")


@app.post("/views")
def view() -> ResponseReturnValue:
    """Ask before, do it, report after: under an id of your own, so that reporting twice counts once."""
    team = purser.customer(session["team"])
    may = team.check("views")
    if not may["allowed"]:
        return redirect(url_for("home", said=may.get("message", "Your plan does not allow this.")))
    team.report_usage([{"id": f"view-{uuid.uuid4()}", "meter": "views", "quantity": 1}])
    return redirect(url_for("home", said="Here is your model."))


@app.post("/billing")
def billing() -> ResponseReturnValue:
    """Purser's own pages, signed in: this person in this team and nothing else."""
    back = url_for("home", _external=True)
    return redirect(purser.portal_session(session["team"], email=session["email"], return_url=back)["url"], 303)


@app.post("/webhooks/purser")
def hear() -> ResponseReturnValue:
    """What happened at Purser. The bytes as they came are what is signed."""
    try:
        event = verify_webhook(os.environ["PURSER_WEBHOOK_SECRET"], request.headers, request.get_data())
    except WebhookInvalid:
        return "", 400
    heard.setdefault(event.id, event)  # put slow work into a queue of your own: Purser waits ten seconds
    return "", 204


@app.errorhandler(PurserError)
def trouble(fault: PurserError) -> ResponseReturnValue:
    return render_template_string(PAGE, said=f"Billing is out of order: {fault}"), 503


if __name__ == "__main__":
    app.run(port=int(os.environ.get("PORT", "8080")))
