"""People: who a user is, how they prove it, and the sessions they are signed in with."""
