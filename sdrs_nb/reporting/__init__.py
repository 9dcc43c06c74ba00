"""The reporting stage: evidence of a run that stands on its own, and what is left for people to do."""
