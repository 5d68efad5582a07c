"""llm: what model calls cost, each call from its hold to its settlement, and what was spent on them (SPEC §6)."""
