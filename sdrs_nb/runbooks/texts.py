"""The texts of a runbook, in any language: the paragraphs of its prose and the comments of its code.

Their translations are a catalogue of their own, ``runbooks``.  Code is the same in every language.
"""

import io
import tokenize
from collections.abc import Callable
from typing import Any

from sdrs_nb.i18n import runbook_text

__all__ = ["translated"]


def translated(notebook: dict[str, Any], say: Callable[[str], str] = runbook_text) -> dict[str, Any]:
    """Return a copy of ``notebook`` in which every paragraph and every comment is as ``say`` says it.

    Parameters
    ----------
    notebook
        The document of a notebook as ``json`` reads it.
    say
        Takes a paragraph on one line (a table on its lines) or a comment without its ``#``.  What it gives back
        unchanged stays as it is written, line breaks included.
    """
    return {**notebook, "cells": [_cell(cell, say) for cell in notebook["cells"]]}


def _cell(cell: dict[str, Any], say: Callable[[str], str]) -> dict[str, Any]:
    source = "".join(cell["source"])
    text = _prose(source, say) if cell["cell_type"] == "markdown" else _code(source, say)
    return {**cell, "source": text.splitlines(keepends=True)}


def _prose(source: str, say: Callable[[str], str]) -> str:
    paragraphs = []
    for paragraph in source.split("\n\n"):
        # Where a line was broken says nothing, except in a table.
        text = paragraph if paragraph.startswith("|") else " ".join(paragraph.splitlines())
        said = say(text)
        paragraphs.append(paragraph if said == text else said)
    return "\n\n".join(paragraphs)


def _code(source: str, say: Callable[[str], str]) -> str:
    lines = source.splitlines(keepends=True)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            (row, begin), (_row, end) = token.start, token.end
            line = lines[row - 1]
            lines[row - 1] = f"{line[:begin]}# {say(token.string.removeprefix('# '))}{line[end:]}"
    return "".join(lines)
