"""How an answer is taken in: no larger than it may be, packed or not, and whether its request had left."""

import zlib
from typing import Any

import httpx

from sdrs_nb.cloud.answers import Answer, Call
from sdrs_nb.errors import CloudError
from sdrs_nb.i18n import _

__all__ = ["Leaving", "answer_of"]

#: Ways of packing that are asked for and taken; several one after the other multiply what a few bytes can become.
_PACKED = frozenset({"gzip", "x-gzip", "deflate"})
#: Take gzip and zlib alike, by their first bytes.
_EITHER = zlib.MAX_WBITS | 32


class Leaving:
    """Hears from the HTTP library how far a request has come.

    ``is_observed``: the library is asked; tests that stand in for the network tell nothing, and then it has left.
    """

    def __init__(self, *, is_observed: bool) -> None:
        self.has_left = not is_observed

    async def hear(self, event: str, _info: Any) -> None:
        """Take note of an event, such as ``http11.send_request_headers.started``."""
        self.has_left |= event.endswith("send_request_headers.started") and not event.startswith("proxy")


async def answer_of(call: Call, path: str, response: httpx.Response, limit: int) -> Answer:
    """Return the answer whose head has come, reading no more than ``limit`` bytes of its body, unpacked.

    Raises ``CloudError`` where a success cannot be unpacked or is larger; of a refusal what was read is enough.
    """
    headers = {name.lower(): value for name, value in response.headers.items()}
    content, wrong = await _body(response, headers.get("content-encoding", ""), limit)
    if wrong and response.is_success:
        raise CloudError(
            _(
                "{method} {path} answered {status} with a body that cannot be taken in: {wrong}. Check that the "
                "endpoint is the cloud's.",
                method=call.method,
                path=path,
                status=response.status_code,
                wrong=wrong,
            ),
            method=call.method,
            path=path,
            status=response.status_code,
        )
    return Answer(response.status_code, headers, content)


async def _body(response: httpx.Response, encoding: str, limit: int) -> tuple[bytes, str]:
    """Return what could be read of the body, and what is wrong with it, ``""`` where nothing is."""
    if response.is_stream_consumed:  # a transport of one's own that made the answer whole
        return response.content[:limit], "" if len(response.content) <= limit else _too_large(limit)
    packings = [each for part in encoding.lower().split(",") if (each := part.strip()) not in {"", "identity"}]
    if len(packings) > 1 or not _PACKED.issuperset(packings):
        return b"", _("it is packed as {encoding}, which was not asked for", encoding=", ".join(packings)[:40])
    unpacking = zlib.decompressobj(_EITHER) if packings else None
    body = bytearray()
    async for part in response.aiter_raw():
        if unpacking is None:
            body += part[: limit - len(body) + 1]
        else:
            try:
                body += unpacking.decompress(part, limit - len(body) + 1)
            except zlib.error:
                return bytes(body), _("it is damaged")
            if unpacking.eof:  # whatever follows belongs to nothing
                break
        if len(body) > limit:
            return bytes(body[:limit]), _too_large(limit)
    is_short = unpacking is not None and not unpacking.eof and bool(body)
    return bytes(body), _("it is damaged") if is_short else ""


def _too_large(limit: int) -> str:
    return _("it is larger than {limit} MiB (SDRS_NB_ANSWER_LIMIT_MIB raises the bound)", limit=limit // 1024**2)
