"""JSON as it comes in: what every part of the sandbox can hold, log and write again, or a refusal."""

import json
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

#: Faults of a document that one answer names; the rest shows when these are mended.
_SHOWN = 5


def read_json(body: bytes) -> Any:
    """Give the document in a body.

    Raises
    ------
    ValueError
        It is no JSON in UTF-8, or one that could not be written again: NaN and infinities (``1e999`` too), half a
        surrogate pair, a number of more than 4,300 digits, more than 200 levels.
    """
    document = from_json(body, allow_inf_nan=False)
    # A number too large for a float is read as infinity all the same; writing it finds that.
    json.dumps(document, allow_nan=False)
    return document


def what_is_wrong(error: ValidationError, whole: str, part: str = "") -> str:
    """Give sentences that name each fault of a document: where it is, by index and key, and what is right.

    Parameters
    ----------
    error
        What the model says.
    whole
        What the document shall be, in a sentence; said where the fault is the document's own.
    part
        What an entry of a list is called.
    """
    said = []
    for one in error.errors(include_url=False, include_context=False, include_input=False)[:_SHOWN]:
        *path, last = one["loc"] or ("",)
        where = ", ".join(f"{part} {step}" if isinstance(step, int) else str(step)[:50] for step in [*path, last])
        right = {
            "extra_forbidden": f"is not known. {whole}",
            "missing": f"is missing. {whole}",
            "model_type": f"should be a JSON object. {whole}",
        }.get(one["type"], f"{one['msg']}.")
        said.append(f"{where}: {right}" if where else whole)
    return " ".join(said)
