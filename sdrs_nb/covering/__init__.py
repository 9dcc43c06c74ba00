"""The day after: who is covered, and what has moved since."""
