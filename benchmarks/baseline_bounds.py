"""Baseline: the same inventory loaded with no bound on an answer and no look at its shape."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # run as a script, like every baseline

import httpx
from pydantic_core import from_json

from sdrs_nb.cloud import answers, transport
from sdrs_nb.cloud.answers import Answer


async def whole(_call: object, _path: str, response: httpx.Response, _limit: int) -> Answer:
    """Take the answer in as it comes."""
    content = await response.aread()
    return Answer(response.status_code, {name.lower(): value for name, value in response.headers.items()}, content)


def bare(_path: str, content: bytes, key: str) -> dict[str, list]:
    """Return the rows as they come."""
    document = from_json(content)
    return document | {key: document[key] or []}


transport.answer_of, answers.rows_in, answers.value_in = whole, bare, from_json

from benchmarks import inventory_loading  # noqa: E402, F401 - loads when imported, after the change above
