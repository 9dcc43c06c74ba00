"""The requests themselves: one batch as the exact bytes that are sent."""
