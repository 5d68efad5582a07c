"""The catalogue: what this installation sells and counts: plans, meters, actions, packs and services."""
