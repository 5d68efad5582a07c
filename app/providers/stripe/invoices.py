"""Stripe's invoices: read whole, collected again, given up; and our coupons, which they are reduced by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.providers.billing import CouponTerms, InvoiceDoc
from app.providers.errors import InvalidRequest
from app.providers.stripe import cards, discounts, documents, pending, reading
from app.providers.stripe.body import id_of
from app.providers.stripe.charges import charge_of, needs_person
from app.providers.stripe.connection import CardRefused, Connection, Json
from app.providers.values import ChargeResult, CustomerRef, DiscountRef, Redirect


class Invoicing:
    """The verbs of invoices and coupons."""

    _stripe: Connection

    def ensure_coupon(self, terms: CouponTerms, *, key: str) -> DiscountRef:
        return discounts.ensure_coupon(self._stripe, terms, key=key)

    def list_invoices(
        self,
        customer: CustomerRef,
        *,
        cursor: str | None,
        limit: int,
        subscription_id: str | None = None,  # noqa: ARG002 - the customer's all
    ) -> tuple[Sequence[InvoiceDoc], str | None]:
        wanted = {"customer": customer.id, "limit": limit, "starting_after": cursor, "expand": ["data.payments"]}
        page = self._stripe.call(lambda v1: v1.invoices.list(wanted))
        found = [documents.invoice_of(invoice) for invoice in page["data"]]
        return found, found[-1].id if page["has_more"] and found else None

    def get_invoice(self, invoice_id: str) -> InvoiceDoc:
        return self._whole(reading.fetch_invoice(self._stripe, invoice_id))

    def _whole(self, invoice: Json) -> InvoiceDoc:
        name = invoice["id"]
        lines = invoice["lines"]["data"]
        if invoice["lines"]["has_more"]:
            lines = self._stripe.pages(lambda v1, page: v1.invoices.line_items.list(name, page))
        notes = self._stripe.pages(lambda v1, page: v1.credit_notes.list({"invoice": name, **page}))
        return documents.invoice_of(
            invoice,
            lines=lines,
            rates=documents.rates_of(self._stripe, invoice),
            credit_notes=[documents.credit_note_of(note) for note in notes],
        )

    def retry_invoice(self, invoice_id: str, *, card_id: str | None, key: str) -> ChargeResult:
        invoice = reading.fetch_invoice(self._stripe, invoice_id)
        if invoice["status"] == "paid":
            return self._paid(invoice)
        if card_id is not None:
            cards.assert_own(self._stripe, str(id_of(invoice["customer"])), card_id)
        wanted = {"payment_method": card_id, "off_session": False, "expand": ["payments"]}
        try:
            paid = self._stripe.call(lambda v1: v1.invoices.pay(invoice_id, wanted, {"idempotency_key": key}))
        except CardRefused as refused:
            return self._unpaid(invoice_id, refused)
        except InvalidRequest:
            paid = reading.fetch_invoice(self._stripe, invoice_id)
            if paid["status"] != "paid":  # by Stripe's own retry, a moment ago
                raise
        return self._paid(paid)

    def _paid(self, invoice: Json) -> ChargeResult:
        intent = reading.payment_of(self._stripe, invoice)
        if intent is None:  # a credit balance covered it, or nothing was due
            return ChargeResult(None, "succeeded")
        return replace(charge_of(intent), status="succeeded" if invoice["status"] == "paid" else "processing")

    def _unpaid(self, invoice_id: str, refused: CardRefused) -> ChargeResult:
        """A refusal, with where to confirm it when that is all it takes. The payment exists: the invoice has it."""
        invoice = reading.fetch_invoice(self._stripe, invoice_id)
        intent = reading.payment_of(self._stripe, invoice)
        told = charge_of(intent) if intent else ChargeResult(None, "failed")
        code = refused.told.get("decline_code") or refused.code
        confirm = told.status == "requires_action" or needs_person(refused.code)
        page = invoice.get("hosted_invoice_url")
        return replace(
            told,
            status="requires_action" if confirm else "failed",
            decline_code=told.decline_code or code,
            message=told.message or str(refused),
            redirect=Redirect(page) if confirm and page else None,
        )

    def void_invoice(self, invoice_id: str, *, key: str) -> InvoiceDoc:
        if pending.void(self._stripe, invoice_id, key=key)["status"] == "paid":
            raise InvalidRequest("The invoice is paid: a credit note corrects it.", code="invoice_paid")
        return self.get_invoice(invoice_id)
