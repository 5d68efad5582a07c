"""Buying a credit pack: what it comes to, and the way to the provider's page (SPEC C3)."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app import coupons
from app.catalogue import packs as catalogue
from app.catalogue import reads
from app.catalogue.packs import PackNotForSale, Shown
from app.catalogue.terms import PackTerms
from app.config import Settings
from app.coupons import CouponRefused
from app.errors import NotFound, ProviderDown, Refusal, TooManyRequests
from app.extensions import db
from app.flows import buy_pack
from app.flows.top_up import ORDER_IN_URL
from app.http import limits
from app.http.auth import current_customer, current_customer_id, customer_required
from app.http.errors import told
from app.http.filters import credit_count
from app.payments.models import Order
from app.web import channel_choice, pack_offers
from app.web.wallet_forms import form_key_sent, fresh_form_key

packs = Blueprint("packs", __name__, url_prefix="/credits/packs")

_LONGEST_CODE = 60


@packs.get("/<key>")
@customer_required("read")
def show(key: str) -> Response:
    """What the pack comes to, and the button to buy it."""
    try:
        pack = catalogue.for_sale(db.session(), key)
    except PackNotForSale as gone:
        return _gone(gone)
    return make_response(_page(pack, request.args.get("coupon", "")))


@packs.get("/<key>/quote")
@customer_required("read")
def quote(key: str) -> str:
    """What it comes to with the coupon typed so far."""
    pack, code = catalogue.for_sale(db.session(), key), request.args.get("coupon", "").strip()[:_LONGEST_CODE]
    now = pack_offers.quote_of(db.session(), current_customer_id(), pack, code)
    return render_template("credits/_pack_quote_news.html", pack=pack, quote=now)


@packs.post("/<key>")
@customer_required("write")
def buy(key: str) -> AnyResponse:
    """Open the order of this form and go to its checkout. The same form again leads to the same checkout."""
    closed = pack_offers.closed_because()
    try:
        pack = catalogue.for_sale(db.session(), key)
        if closed is not None:
            return make_response(_page(pack, ""), 422)
        limits.spend("topup.customer", current_customer_id())
        return _onward(_started(pack))
    except PackNotForSale as gone:
        return _gone(gone)
    except NotFound:
        raise
    except Refusal as refusal:
        return _refused(key, refusal)


def _started(pack: PackTerms) -> Order:
    settings: Settings = current_app.extensions["settings"]
    back = f"{settings.base_url.rstrip('/')}{url_for('orders.show')}/{ORDER_IN_URL}"
    offered = pack_offers.offered_by(pack, strict=True)
    assert offered.chosen is not None, "the page is closed without one"
    code = request.form.get("coupon", "").strip()[:_LONGEST_CODE]
    # Going back and choosing another pack, coupon or provider makes another order; the same form sent twice does not.
    named = f"@{offered.chosen.name}" if offered.choices else ""
    form_key = ":".join(part for part in (form_key_sent(), pack.key, coupons.spelled(code), named) if part)
    wish = buy_pack.Wish(
        pack_key=pack.key,
        form_key=form_key if form_key.isprintable() else fresh_form_key(),
        actor=current_user.id,
        success_url=back,
        cancel_url=f"{back}?left=1",
        coupon=code or None,
        shown=Shown(_whole("price"), _whole("credits")),
        others=channel_choice.all_of_them(),
    )
    return buy_pack.start(db.session(), offered.chosen, current_customer(), wish)


def _whole(name: str) -> int:
    """A number the form was rendered with; 0, which no pack has, for anything else."""
    sent = request.form.get(name, "")
    return int(sent) if sent.isascii() and sent.isdigit() and len(sent) <= 15 else 0


def _onward(order: Order) -> AnyResponse:
    """To the checkout while it can be paid; else to the page that says what became of the order."""
    if order.state == "open" and order.checkout_url:
        return redirect(order.checkout_url, 303)
    if order.state == "paid":
        flash(f"{credit_count(order.request['credits'])} are yours", "pos")
    return redirect(url_for("orders.one", order_id=order.id), 303)


def _refused(key: str, refusal: Refusal) -> Response:
    """The page again with what was typed: the sentence beside the coupon, or over the page."""
    pack, words = catalogue.for_sale(db.session(), key), told(refusal)
    code = request.form.get("coupon", "")
    by_coupon = refusal.sentence if isinstance(refusal, CouponRefused) else ""
    response = make_response(_page(pack, code, None if by_coupon else refusal, by_coupon), words.status)
    if isinstance(refusal, TooManyRequests | ProviderDown):
        response.headers.update(words.headers)
    return response


def _page(pack: PackTerms, code: str, refusal: Refusal | None = None, coupon_error: str = "") -> str:
    session, code = db.session(), code.strip()[:_LONGEST_CODE]
    live, offered = reads.live(session), pack_offers.offered_by(pack)
    now = pack_offers.quote_of(session, current_customer_id(), pack, code)
    return render_template(
        "credits/pack.html",
        pack=pack,
        offer=pack_offers.offer_of(pack, live.packs, live.actions[0] if live.actions else None, 0),
        quote=now,
        coupon=code,
        coupon_error=coupon_error or now.error,
        refusal=refusal,
        closed=pack_offers.closed_because(),
        provider_title=offered.title,
        channels=offered.choices,
        adds_tax=offered.adds_tax,
        form_key=fresh_form_key(),
    )


def _gone(refusal: PackNotForSale) -> Response:
    """A pack that was retired: why, and the way to the others."""
    return make_response(
        render_template(
            "errors/page.html",
            code=f"{told(refusal).status}, not for sale",
            title="This pack is no longer sold",
            text=f"{refusal.sentence} You were not charged.",
            actions=[("See the packs", "/credits", "primary")],
            note="",
            bill=[],
        ),
        told(refusal).status,
    )
