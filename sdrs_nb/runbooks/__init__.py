"""Documented procedures as notebooks, their texts, rehearsals, and the sandbox as a process."""
