"""The ledger: what was approved, intended, answered and found, on disk before anything else is said of it."""
