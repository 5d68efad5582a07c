"""Invoices: the provider's, mirrored, and our own for what the wallet pays; credit notes, tax rates, buyers."""
