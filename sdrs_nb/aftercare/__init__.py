"""What comes after a run: undo, remainder, coverage, drift, and groups that servers lack."""
