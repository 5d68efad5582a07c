"""Subscriptions: which plan a customer has, and for which seconds they paid."""
