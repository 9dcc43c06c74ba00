"""Which servers can be protected and why not: facts, matching, judging; one small function a rule in ``rules``."""
