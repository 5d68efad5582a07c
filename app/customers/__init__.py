"""Customers: the paying organisations, their members and invitations, and the keys of their programs."""
