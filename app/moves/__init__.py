"""Moves: staff have subscribers of an old version of a plan go over to a newer one, each once (SPEC P2)."""
