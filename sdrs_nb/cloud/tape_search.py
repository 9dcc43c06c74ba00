"""What must not be in a tape, looked for in every spelling; what is found is told by place, and never shown."""

import base64
import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_network
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote, urlsplit

from sdrs_nb.cloud.authentication import carried
from sdrs_nb.cloud.pseudonyms import PUBLIC_HOST
from sdrs_nb.cloud.replay import tape_files
from sdrs_nb.cloud.tape import key_file
from sdrs_nb.i18n import _
from sdrs_nb.intake.files import read_file
from sdrs_nb.settings import Settings

__all__ = ["Leak", "leaks", "words_of"]

#: A word that is shorter is looked for as a whole word only: others are full of it.
_SHORT = 4
#: ... and so is one that pseudonyms may be made of by chance.
_BY_CHANCE = re.compile(r"[0-9a-f]{1,11}")
_DOCUMENTATION = tuple(map(ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")))
_ADDRESS = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])", re.ASCII)
#: Shapes of secrets, whosever they are.
_SHAPES: Mapping[str, re.Pattern[str]] = {
    "access key": re.compile(r"(?<![A-Za-z0-9])(?=[A-Z0-9]*[G-Z])(?=[A-Z0-9]*\d)[A-Z0-9]{20}(?![A-Za-z0-9])"),
    "secret key": re.compile(
        r"(?<![A-Za-z0-9+/])(?=[A-Za-z0-9]*[G-Z])(?=[A-Za-z0-9]*[g-z])(?=[A-Za-z0-9]*\d)[A-Za-z0-9]{40}(?![A-Za-z0-9+/])"
    ),
    "token": re.compile(r"MII[A-Za-z0-9+/_-]{60}|eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\."),
    "signature": re.compile(r"Signature=[0-9a-fA-F]{16}|SDK-HMAC-SHA256\s"),
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY|ssh-(?:rsa|ed25519) AAAA"),
    "mail address": re.compile(r"[A-Za-z0-9._%+-]{2,}@[A-Za-z0-9-]+\.[A-Za-z]{2,}"),
}


@dataclass(frozen=True, order=True)
class Leak:
    """Something that must not be in a tape: in which file and line, what it is, in which spelling; never its text."""

    file: str
    line: int
    what: str
    spelling: str


def words_of(settings: Settings | None, given: str = "") -> dict[str, str]:
    """Return what to look for and what each is: a word a line of ``given``, and what tells whose settings they are."""
    words: dict[str, str] = {}
    if settings is not None:
        words |= {text: _("a credential of the settings") for text in carried(settings)}
        names = ("project_id", "project_name", "domain", "domain_id", "user")
        told = {name: getattr(settings, name) for name in names}
        hosts = {urlsplit(url).hostname for url in (settings.endpoint, *settings.endpoints.values()) if url}
        told |= {f"endpoint {number}": host for number, host in enumerate(sorted(filter(None, hosts)))}
        for name, text in told.items():
            if text and text != settings.region and not PUBLIC_HOST.fullmatch(text):
                words.setdefault(text, _("{name} of the settings", name=name.split()[0]))
    if key_file().is_file():
        words[key_file().read_text(encoding="ascii", errors="replace").strip()] = _("the key of tapes")
    for number, line in enumerate(given.splitlines(), start=1):
        if word := line.strip():
            words[word] = _("word {number}", number=number)
    return words


def leaks(path: Path, words: Mapping[str, str]) -> list[Leak]:
    """Return what is found in the files of a tape, sorted by place; reads files.

    Parameters
    ----------
    path
        A folder of a tape, or a file.
    words
        What to look for, and what to call it.

    Raises
    ------
    SettingsError
        There is no tape.
    UnreadableError, OSError
        A file cannot be read.
    """
    found: set[Leak] = set()
    for file in tape_files(path):
        text = read_file(file).decode("utf-8", "replace")
        for spelling, read in _readings(text):
            low = read.casefold()
            for word, what in words.items():
                forms = dict(_forms(word)) if spelling == "plain" else {word.casefold(): spelling}
                for form, name in forms.items():
                    found |= {Leak(file.name, line, what, name) for line in _lines(low, form)}
        for what, shape in _SHAPES.items():
            found |= {Leak(file.name, _line(text, hit.start()), what, "shape") for hit in shape.finditer(text)}
        for hit in _ADDRESS.finditer(text):
            if all(int(part) < 256 for part in hit[0].split(".")) and not _is_for_documents(hit[0]):  # noqa: PLR2004 - IPv4
                found.add(Leak(file.name, _line(text, hit.start()), "IP address", "shape"))
    return sorted(found)


def _readings(text: str) -> Iterator[tuple[str, str]]:
    """Yield the text as it is, and as whoever undoes its escapes reads it; lines stay lines."""
    yield "plain", text
    unescaped = re.sub(r"\\u([0-9a-fA-F]{4})", lambda sign: chr(max(int(sign[1], 16), 32)), text)
    for spelling, read in (("JSON", unescaped), ("URL", unquote(text)), ("HTML", html.unescape(text))):
        if read != text:
            yield spelling, read


def _forms(word: str) -> Iterator[tuple[str, str]]:
    """Yield every spelling of a word that is looked for, folded, with its name."""
    raw = word.encode("utf-8", "surrogatepass")
    yield word.casefold(), "plain"
    for ascii_only in (True, False):
        yield json.dumps(word, ensure_ascii=ascii_only)[1:-1].casefold(), "JSON"
    for spelled in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield spelled.casefold(), "URL"
    yield html.escape(word).casefold(), "HTML"
    yield word[::-1].casefold(), "reversed"
    if len(raw) < _SHORT:  # its packed forms have no three signs of their own
        return
    yield raw.hex(), "hex"
    for skipped in range(3):
        # What stands before a text moves its base64; the signs at both ends hold bits of the neighbours.
        packed = base64.b64encode(b"\0" * skipped + raw).decode().rstrip("=")[(0, 2, 3)[skipped] : -1].casefold()
        yield packed, "base64"
        yield packed.replace("+", "-").replace("/", "_"), "base64"


def _lines(text: str, form: str) -> Iterator[int]:
    """Yield the lines in which ``form`` stands, each once."""
    if not form:
        return
    is_whole = len(form) < _SHORT or _BY_CHANCE.fullmatch(form) is not None
    at, line = 0, 1
    while (hit := text.find(form, at)) >= 0:
        line += text.count("\n", at, hit)
        ends = text[hit - 1 : hit] + text[hit + len(form) : hit + len(form) + 1]
        if is_whole and any(sign.isalnum() for sign in ends):
            at = hit + len(form)
            continue
        yield line
        at = text.find("\n", hit)
        if at < 0:
            return


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _is_for_documents(address: str) -> bool:
    return any(IPv4Address(address) in network for network in _DOCUMENTATION)
