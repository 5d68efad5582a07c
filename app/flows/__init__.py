"""Flows: what waits for the network between two writes, or moves several domains for one event."""
