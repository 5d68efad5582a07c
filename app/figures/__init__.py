"""Figures over all customers: what the business earns, owes and waits for. Reads only, for staff."""
