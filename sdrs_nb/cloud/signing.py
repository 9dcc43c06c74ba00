"""The cloud's request signature, ``SDK-HMAC-SHA256``.

Ours because the vendor's SDK is the only other source of it and would bring a second HTTP library; the tests hold
it to the vendor's signer.  Pure functions: the clock is the caller's ``X-Sdk-Date`` header.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote

__all__ = ["ALGORITHM", "DATE_FORMAT", "authorization", "canonical_request", "encode_query"]

ALGORITHM = "SDK-HMAC-SHA256"
#: How ``X-Sdk-Date`` is written, in UTC.
DATE_FORMAT = "%Y%m%dT%H%M%SZ"


def encode_query(pairs: Iterable[tuple[str, str]]) -> str:
    """Return query pairs as they stand in the URL and in the signature: sorted, then encoded, a space as ``%20``.

    The signature sorts before it encodes, so a value's order can differ from that of the encoded text.
    """
    return "&".join(f"{_encode(name)}={_encode(value)}" for name, value in sorted(pairs))


def canonical_request(
    method: str, path: str, query: Iterable[tuple[str, str]], headers: Mapping[str, str], body: bytes
) -> str:
    """Return the text whose hash is signed.

    Parameters
    ----------
    method, path
        The request line; ``path`` may be percent-encoded or not.
    query
        Decoded name and value pairs, in any order.
    headers
        Every header that shall be covered; names holding ``_`` are left out, as the vendor's signer does,
        because gateways drop them.
    body
        The bytes that will be sent, unchanged.
    """
    covered = _covered(headers)
    # The closing slash belongs to the signed form only; the request itself is sent without it.
    segments = "/".join(_encode(segment) for segment in unquote(path).split("/")).removesuffix("/") + "/"
    fields = (f"{name}:{value}" for name, value in covered.items())
    digest = hashlib.sha256(body).hexdigest()
    return "\n".join([method.upper(), segments, encode_query(query), *fields, "", ";".join(covered), digest])


def authorization(
    method: str,
    path: str,
    query: Iterable[tuple[str, str]],
    headers: Mapping[str, str],
    body: bytes,
    *,
    access_key: str,
    secret_key: str,
) -> str:
    """Return the value of the ``Authorization`` header; ``headers`` must hold ``Host`` and ``X-Sdk-Date``.

    Raises ``KeyError`` when one of the two is missing.  No date or region goes into the key: the secret key
    signs directly.
    """
    covered = _covered(headers)
    digest = hashlib.sha256(canonical_request(method, path, query, headers, body).encode()).hexdigest()
    text = f"{ALGORITHM}\n{covered['x-sdk-date']}\n{digest}"
    signature = hmac.new(secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()
    covered["host"]  # a signature that does not cover the host would be good anywhere
    return f"{ALGORITHM} Access={access_key}, SignedHeaders={';'.join(covered)}, Signature={signature}"


def _covered(headers: Mapping[str, str]) -> dict[str, str]:
    return dict(sorted((name.lower(), value.strip()) for name, value in headers.items() if "_" not in name))


def _encode(text: str) -> str:
    return quote(text, safe="~")
