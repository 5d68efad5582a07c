"""The back office: pages for staff. Support reads, finance also moves money and replays, admin may do everything."""

from __future__ import annotations

from flask import Flask

from app.admin import (
    activity,
    adjustment_queue,
    adjustments,
    audit_chain,
    balances,
    books,
    catalogue,
    catalogue_file,
    catalogue_rows,
    channels,
    check_in,
    coupons,
    credit_adjustments,
    credit_transactions,
    customer_changes,
    customer_lists,
    customers,
    dashboard,
    disputes,
    freezing,
    invoices,
    jobs,
    ledger_accounts,
    looking,
    outgoing,
    outgoing_endpoints,
    plan_drafts,
    plan_moves,
    plan_versions,
    plans,
    reconciliations,
    refund_form,
    refunds,
    settings,
    staff,
    subscriptions,
    tax_rates,
    terms,
    transactions,
    webhooks,
)


def register(app: Flask) -> None:
    """Bind this package's pages and handlers to the application."""
    for module in (customer_lists, customer_changes, freezing, looking):
        app.register_blueprint(module.pages)
    for module in (customers, adjustments, terms, webhooks, outgoing, outgoing_endpoints, books, activity):
        app.register_blueprint(module.pages)
    for module in (adjustment_queue, staff, settings):
        app.register_blueprint(module.pages)
    for module in (disputes, reconciliations, refund_form, refunds, credit_adjustments, credit_transactions):
        app.register_blueprint(module.pages)
    for module in (plans, coupons, catalogue_rows, channels, check_in, tax_rates):
        app.register_blueprint(module.pages)
    for module in (catalogue, catalogue_file, plan_drafts, plan_moves, plan_versions):
        app.register_blueprint(module.pages)
    for module in (ledger_accounts, jobs, audit_chain):
        app.register_blueprint(module.pages)
    for module in (dashboard, transactions, balances, subscriptions, invoices):
        app.register_blueprint(module.pages)
