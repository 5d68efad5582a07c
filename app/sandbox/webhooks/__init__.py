"""Events and their delivery: signed, retried, and breakable on purpose."""
