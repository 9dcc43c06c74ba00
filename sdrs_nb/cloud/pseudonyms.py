"""Stable pseudonyms of whatever an operator could be known by: the same text gives the same one, wherever it stands.

A pseudonym is made with a key (HMAC-SHA256) that stays with the operator.  It has the form of what it stands for: an id
is an id, an address is one of the ranges for documentation, and the numbering of a name stays behind it, so that
``erp`` and ``erp-001-0001`` begin alike before and after.
"""

import hashlib
import hmac
import ipaddress
import json
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from sdrs_nb.cloud.vocabulary import is_literal, is_secret, vocabulary

__all__ = ["DROPPED", "PUBLIC_HOST", "Pseudonyms"]

#: What stands in the place of a secret.
DROPPED = "(dropped)"
#: How requests and some lists write a tag.
_TAG = frozenset({"key", "value", "values"})
#: Whole numbers beyond this may be an account's or a telephone's; times in seconds and limits are below.
_LARGEST = 2**32
_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-f]{16,128}", re.IGNORECASE)
_DIGITS = re.compile(r"\d{8,40}", re.ASCII)
_MAC = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}", re.IGNORECASE)
_ADDRESS = re.compile(r"(?P<address>[0-9a-fA-F.:]{2,39})(?P<prefix>/\d{1,3})?", re.ASCII)
_URL = re.compile(r"[a-z][a-z0-9+.-]{1,15}://", re.IGNORECASE)
#: Hosts of the public clouds behind service and region.
PUBLIC_HOST = re.compile(
    r"(?:[a-z]{2,6}\.)?(?:[a-z]{2}-[a-z]+(?:-?\d{1,3})?\.)?(?P<cloud>myhuaweicloud\.(?:com|eu)|otc\.t-systems\.com)"
)
#: A sub-project is called {region}_{name}.
_SUB_PROJECT = re.compile(r"(?P<region>[a-z]{2,7}-[a-z0-9-]{1,20})_(?P<name>.+)", re.DOTALL)
#: What the service and the planner put behind a name.
_NUMBERED = re.compile(r"(?P<base>.+?)(?P<numbers>(?:(?:-volume)?-\d{1,4})*)", re.ASCII | re.DOTALL)
_TOKEN = re.compile(r"[^\s,;:()\[\]{}<>\"'=|，。；：（）]+")
_LIST = re.compile(r"[^\s,]+(?:\s*,\s*[^\s,]+)+")
_DOCUMENTATION = (
    ipaddress.IPv4Network("192.0.2.0/24"),
    ipaddress.IPv4Network("198.51.100.0/24"),
    ipaddress.IPv4Network("203.0.113.0/24"),
)
_DOCUMENTATION_6 = int(ipaddress.IPv6Address("2001:db8::"))


class Pseudonyms:
    """Replaces what is not the service's own word; pure, given the key.

    Parameters
    ----------
    key
        The secret that pseudonyms are made with; without it nobody finds out what one stands for by trying names.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.text = lru_cache(200_000)(self._text)

    def document(self, value: Any, field: str = "") -> Any:  # noqa: PLR0911 - a line a kind of value
        """Return a JSON value with everything replaced that is not the service's; its shape stays.

        ``field`` is the name that the value stands under.
        """
        match value:
            case dict() if field == "tags" and _TAG.issuperset(value):
                return {name: self.document(one) for name, one in value.items()}
            case dict():
                return {self._name(name, field): self._under(name, field, one) for name, one in value.items()}
            case list():
                return [self.document(one, field) for one in value]
            case str():
                return self.value(field, value)
            case int() if not isinstance(value, bool) and abs(value) > _LARGEST:
                return self._number(value)
            case float() if _LARGEST < abs(value) < float("inf"):
                return float(self._number(int(value)))
        return value

    def value(self, field: str, text: str) -> str:
        """Return the text of a field, replaced unless it is the service's own."""
        known = vocabulary()
        if known.keeps(field, text):
            return text
        return self.sentence(text) if field in known.text_fields else self.text(text)

    def sentence(self, text: str) -> str:
        """Return a sentence with every word replaced that is not the service's."""
        return _TOKEN.sub(self._token, text)

    def path(self, path: str) -> str:
        """Return the path of a request; parts that are no part of the service's paths are replaced."""
        routes = vocabulary().routes
        parts = path.split("/")
        for number, part in enumerate(parts):
            before = parts[number - 1] if number else ""
            if before == "credentials" and part:  # the access key
                parts[number] = "..."
            elif part not in routes:
                parts[number] = quote(self.text(unquote(part)), safe="~.")
        return "/".join(parts)

    def query(self, pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
        """Return the pairs of a query."""
        return [[self._name(name, ""), DROPPED if is_secret(name) else self.value(name, text)] for name, text in pairs]

    def origin(self, origin: str) -> str:
        """Return scheme and host; the host of a public cloud stays, any other is ``host-….example``."""
        parts = urlsplit(origin)
        return f"{parts.scheme}://{self.host(parts.hostname or '')}"

    def host(self, host: str) -> str:
        """Return a host: that of a public cloud as it is."""
        if PUBLIC_HOST.fullmatch(host.lower()):
            return host.lower()
        return f"host-{self._digest(host.lower()).hex()[:12]}.example"

    def content(self, content: bytes) -> dict[str, Any]:
        """Return the body of a request or an answer: ``{"json": ...}``, ``{"text": ...}``, or ``{}``."""
        if not content:
            return {}
        try:
            document = json.loads(content)
            return {"json": self.document(document)}
        except (ValueError, RecursionError):
            return {"text": self.sentence(content.decode("utf-8", "replace"))}

    def _under(self, name: str, field: str, value: Any) -> Any:
        """Return what stands under a name: a secret is dropped, what an operator called so is of no known field."""
        if is_secret(name) and not isinstance(value, dict) and value not in (None, "", [], False, True):
            return DROPPED
        is_ours = field == "tags" or (field == "metadata" and name not in vocabulary().metadata_fields)
        # "tags" all the way down: what is in there is the operator's at any depth.
        return self.document(value, "tags" if is_ours else name)

    def _name(self, name: str, field: str) -> str:
        known = vocabulary()
        fields = known.metadata_fields if field == "metadata" else known.fields
        return name if field != "tags" and name in fields else self.text(name)

    def _token(self, found: re.Match[str]) -> str:
        token = found[0].rstrip(".!?")
        ending = found[0][len(token) :]
        if not token or vocabulary().keeps_word(token):
            return found[0]
        return (self.path(token) if token.startswith("/") else self.text(token)) + ending

    def _text(self, text: str) -> str:  # noqa: PLR0911 - a line a form
        """Return the pseudonym of a text by its form."""
        if is_literal(text):
            return text
        if _URL.match(text):
            return self._url(text)
        if _LIST.fullmatch(text) and all(self._shaped(part.strip()) for part in text.split(",")):
            return re.sub(r"[^\s,]+", lambda part: self.text(part[0]), text)
        if shaped := self._shaped(text):
            return shaped
        key, equals, value = text.partition("=")
        if equals:
            return f"{self.text(key)}={self.text(value)}"
        if (sub := _SUB_PROJECT.fullmatch(text)) and is_literal(sub["region"]):
            return f"{sub['region']}_{self.text(sub['name'])}"
        found = _NUMBERED.fullmatch(text)
        base, numbers = (found["base"], found["numbers"]) if found else (text, "")
        return f"name-{self._digest(base).hex()[:12]}{numbers}"

    def _shaped(self, text: str) -> str:
        """Return the pseudonym of an id, an address or a number in its own form, ``""`` where it is none."""
        if _UUID.fullmatch(text) or _HEX.fullmatch(text):
            plain = text.lower().replace("-", "")
            signs = iter((self._digest(plain).hex() * 2)[: len(plain)])
            made = "".join(sign if sign == "-" else next(signs) for sign in text)
            return made.upper() if text.upper() == text != text.lower() else made
        if _DIGITS.fullmatch(text):
            return str(self._whole(text) % 10 ** len(text)).zfill(len(text))
        if _MAC.fullmatch(text):
            return "02:" + self._digest(text.lower()).hex(":")[: 5 * 3 - 1]
        if found := _ADDRESS.fullmatch(text):
            return self._address(found["address"], found["prefix"] or "")
        return ""

    def _address(self, text: str, prefix: str) -> str:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return ""
        drawn = self._whole(str(address))
        if address.version == 4:  # noqa: PLR2004 - IPv4
            network = _DOCUMENTATION[drawn % len(_DOCUMENTATION)]
            return f"{network[1 + drawn // 3 % 254]}{prefix}"
        return f"{ipaddress.IPv6Address(_DOCUMENTATION_6 + drawn % 2**96)}{prefix}"

    def _url(self, text: str) -> str:
        try:
            parts = urlsplit(text)
            host, pairs = parts.hostname or "", parse_qsl(parts.query, keep_blank_values=True)
        except ValueError:
            return f"https://host-{self._digest(text).hex()[:12]}.example"
        query = "&".join(f"{quote(name)}={quote(value)}" for name, value in self.query(pairs))
        scheme = parts.scheme if parts.scheme in {"http", "https"} else "x"
        return f"{scheme}://{self.host(host)}{self.path(parts.path)}{'?' if query else ''}{query}"

    def _number(self, number: int) -> int:
        """Return another number of as many digits."""
        least: int = 10 ** (len(str(abs(number))) - 1)
        drawn = least + self._whole(str(abs(number))) % (9 * least)
        return drawn if number > 0 else -drawn

    def _whole(self, text: str) -> int:
        return int.from_bytes(self._digest(text))

    def _digest(self, text: str) -> bytes:
        return hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256)
