"""Figures beside their baselines, measured in one run; see ``__main__``."""
