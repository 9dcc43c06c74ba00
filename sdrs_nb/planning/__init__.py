"""The planning stage: eligible servers into the fewest requests, frozen, estimated, approved, and taken back."""
