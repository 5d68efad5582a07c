"""The wallet: prepaid money of a customer, and the verbs that move it (SPEC §5)."""
