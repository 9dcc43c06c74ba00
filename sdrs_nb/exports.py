"""Write frames as files that a spreadsheet can open without running anything in them."""

import os
from pathlib import Path

import pandas as pd

__all__ = ["neutral", "write_csv"]

#: A cell that begins with one of these is read as a formula by spreadsheet programs.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def neutral(text: str) -> str:
    """Return ``text`` so that a spreadsheet shows it as text: a leading apostrophe before a formula's first sign."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def write_csv(frame: pd.DataFrame, path: str | os.PathLike[str]) -> Path:
    """Write ``frame`` to ``path`` as UTF-8 CSV with a byte order mark (for Excel) and return the path.

    Text cells that a spreadsheet would run as a formula get a leading apostrophe; missing values are empty cells.
    The frame is not changed.  The file appears whole or not at all.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    safe = frame.copy()
    for column in safe.columns:
        if not (pd.api.types.is_numeric_dtype(safe[column]) or pd.api.types.is_datetime64_any_dtype(safe[column])):
            safe[column] = safe[column].map(lambda value: neutral(value) if isinstance(value, str) else value)
    unfinished = target.with_name(target.name + ".part")
    safe.to_csv(unfinished, index=False, encoding="utf-8-sig")
    unfinished.replace(target)
    return target
