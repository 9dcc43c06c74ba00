"""Verification of the AK/SK signature SDK-HMAC-SHA256, as the gateway does it."""

import calendar
import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, unquote

ALGORITHM = "SDK-HMAC-SHA256"
_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} +Access=(?P<key>[^,\s]+), *SignedHeaders=(?P<headers>[^,\s]+), *Signature=(?P<signature>[0-9a-f]+)"
)


class BadSignatureError(Exception):
    """The signature does not prove the key; the text says why."""


def canonical_request(  # noqa: PLR0917 - the parts of a request, in the order in which they are signed
    method: str, raw_path: str, raw_query: str, headers: Mapping[str, str], signed: list[str], body: bytes
) -> str:
    """Give the canonical request.

    Parameters
    ----------
    method
        HTTP method.
    raw_path, raw_query
        Path and query as they came over the wire, still percent-encoded.
    headers
        Header values under lower-case names.
    signed
        The names in ``SignedHeaders``, lower-case, in the order given there.
    body
        The body's bytes.
    """
    path = "/".join(quote(unquote(segment), safe="~") for segment in raw_path.split("/"))
    if not path.endswith("/"):
        path += "/"
    # The signer sorts the decoded pairs; "+" and "%20" both mean a space on the wire.
    pairs = sorted(parse_qsl(raw_query, keep_blank_values=True))
    query = "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in pairs)
    block = "".join(f"{name}:{headers.get(name, '').strip()}\n" for name in signed)
    return "\n".join([method.upper(), path, query, block, ";".join(signed), payload_hash(headers, body)])


def payload_hash(headers: Mapping[str, str], body: bytes) -> str:
    """Give the payload hash: the body's, or the announced one when a client signs without the payload."""
    announced = headers.get("x-sdk-content-sha256")
    if body and announced == "UNSIGNED-PAYLOAD":
        return announced
    return hashlib.sha256(body).hexdigest()


def signature_of(secret_key: str, date: str, canonical: str) -> str:
    """Give the signature of a canonical request; there is no date or region key derivation."""
    to_sign = f"{ALGORITHM}\n{date}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    return hmac.new(secret_key.encode(), to_sign.encode(), hashlib.sha256).hexdigest()


class KeyGuard:
    """Verifies the signatures of one access key and locks it after too many bad ones.

    Parameters
    ----------
    access_key, secret_key
        The pair.
    skew_s
        How far ``X-Sdk-Date`` may be from wall time, in seconds.
    lock_after, lock_s
        So many bad signatures in a row lock the key for so many seconds of wall time.
    """

    def __init__(self, access_key: str, secret_key: str, *, skew_s: float, lock_after: int, lock_s: float) -> None:
        self.access_key = access_key
        self._secret_key = secret_key
        self._skew_s = skew_s
        self._lock_after = lock_after
        self._lock_s = lock_s
        self._failures = 0
        self._locked_until = float("-inf")

    def verify(  # noqa: PLR0917 - the parts of a request, as in canonical_request
        self, method: str, raw_path: str, raw_query: str, headers: Mapping[str, str], body: bytes, wall: float
    ) -> None:
        """Check one signed request.

        Raises
        ------
        BadSignatureError
            The key is locked, unknown, the date is off, or the signature does not fit; all but the first count
            towards the lock.
        """
        if wall < self._locked_until:
            raise BadSignatureError("the access key is locked after too many failed authentications")
        try:
            self._check(method, raw_path, raw_query, headers, body, wall)
        except BadSignatureError:
            self._failures += 1
            if self._failures >= self._lock_after:
                self._failures = 0
                self._locked_until = wall + self._lock_s
            raise
        self._failures = 0

    def _check(  # noqa: PLR0917 - as above
        self, method: str, raw_path: str, raw_query: str, headers: Mapping[str, str], body: bytes, wall: float
    ) -> None:
        found = _AUTHORIZATION.fullmatch(headers.get("authorization", "").strip())
        if found is None:
            raise BadSignatureError("Authorization format is incorrect")
        if found["key"] != self.access_key:
            raise BadSignatureError("access key id not found")
        signed = found["headers"].split(";")
        # Without these two the signature could be replayed against another host or at another time.
        if not {"host", "x-sdk-date"} <= set(signed):
            raise BadSignatureError("host and x-sdk-date must be signed")
        date = headers.get("x-sdk-date", "")
        if abs(_parse_date(date) - wall) > self._skew_s:
            raise BadSignatureError("the date in x-sdk-date is more than 15 minutes from the present time")
        canonical = canonical_request(method, raw_path, raw_query, headers, signed, body)
        if not hmac.compare_digest(signature_of(self._secret_key, date, canonical), found["signature"]):
            raise BadSignatureError("verify aksk signature fail")


def _parse_date(text: str) -> float:
    try:
        return float(calendar.timegm(time.strptime(text, "%Y%m%dT%H%M%SZ")))
    except ValueError:
        raise BadSignatureError("x-sdk-date is missing or malformed") from None
