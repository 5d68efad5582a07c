"""checkin: free credits once a day (SPEC C5): a customer's days, streaks and what each day gave."""
