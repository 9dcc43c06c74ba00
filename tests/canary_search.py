"""Secrets of a known spelling, and the search for them in everything that a job leaves behind."""

import base64
import gzip
import html
import io
import json
import random
import re
import string
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, quote_plus

#: Characters of a secret that give it away: an answer that was cut in the middle shows as many.
_PIECE = 12
_ZIP, _GZIP = b"PK\x03\x04", b"\x1f\x8b"


@dataclass(frozen=True)
class Hit:
    """A secret that was found: which, where, in which spelling."""

    secret: str
    where: str
    form: str


def keys_of(draw: random.Random) -> dict[str, str]:
    """Return secrets of every kind that a cloud makes, of the shapes that it gives them, no two alike."""

    def some(signs: str, count: int) -> str:
        return "".join(draw.choices(signs, k=count))

    capitals, letters = string.ascii_uppercase + string.digits, string.ascii_letters + string.digits
    return {
        "access_key": some(capitals, 20),
        "secret_key": some(letters, 40),
        "security_token": f"gQ{some(letters, 300)}",
        "password": f"p\"&<%+ é{some(letters, 20)}\\'$",
        "token": f"MIIS{some(letters, 400)}-_",
    }


def pieces(secret: str) -> list[str]:
    """Return what is looked for: the secret, and both ends of each part of it that no spelling changes."""
    parts = [part for part in re.findall(r"[A-Za-z0-9]+", secret.removeprefix("MIIS")) if len(part) >= _PIECE]
    return [secret, *(end for part in parts for end in (part[:_PIECE], part[-_PIECE:]))]


def forms(text: str) -> Iterator[tuple[str, str]]:
    """Yield every spelling of ``text`` that is looked for, with its name."""
    yield "as it is", text
    yield "reversed", text[::-1]
    yield "JSON", json.dumps(text)[1:-1]
    yield "repr", repr(text)[1:-1]
    yield "HTML", html.escape(text)
    yield "URL", quote(text, safe="")
    yield "URL", quote_plus(text)
    raw = text.encode()
    yield "hex", raw.hex()
    for skipped in range(3):
        # What stands before a text moves its base64; the first and last signs also hold bits of the neighbours.
        packed = base64.b64encode(b"\0" * skipped + raw).decode()
        yield "base64", packed.rstrip("=")[(0, 2, 3)[skipped] : -1]
        yield "base64", packed.rstrip("=")[(0, 2, 3)[skipped] : -1].replace("+", "-").replace("/", "_")


class Search:
    """Looks for secrets, in any case of letters.

    Parameters
    ----------
    secrets
        What must not be found, by name.
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._wanted: dict[bytes, tuple[str, str]] = {}
        for name, secret in secrets.items():
            for piece in pieces(secret):
                for form, spelled in forms(piece):
                    self._wanted.setdefault(spelled.encode(errors="surrogatepass").lower(), (name, form))
        self.looked_at: dict[str, int] = {}

    def in_text(self, where: str, content: str | bytes) -> set[Hit]:
        """Return what is found in a text or in the bytes of a file, unpacked where they are packed."""
        raw = content.encode(errors="surrogatepass") if isinstance(content, str) else content
        kind = Path(where).suffix or where
        self.looked_at[kind] = self.looked_at.get(kind, 0) + len(raw)
        low = raw.lower()
        found = {Hit(name, where, form) for spelled, (name, form) in self._wanted.items() if spelled in low}
        if raw.startswith(_ZIP):
            with zipfile.ZipFile(io.BytesIO(raw)) as packed:
                for member in packed.namelist():
                    found |= self.in_text(f"{where}!{member}", packed.read(member))
        if raw.startswith(_GZIP):
            found |= self.in_text(f"{where}!", gzip.decompress(raw))
        return found

    def in_folder(self, folder: Path, *, but: Iterable[Path] = ()) -> set[Hit]:
        """Return what is found in the names and contents of the files below ``folder``, except in ``but``."""
        given, found = set(but), set()
        for path in sorted(folder.rglob("*")):
            where = path.relative_to(folder).as_posix()
            found |= self.in_text("file names", where)
            if path.is_file() and path not in given:
                found |= self.in_text(where, path.read_bytes())
        return found


class CommandLines:
    """The arguments of every process of this machine, as any of its users sees them, while something goes on."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()

    def look(self) -> None:
        """Take note of the processes there are."""
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                self.seen.add(path.read_bytes())
            except OSError:  # it has ended
                continue

    def until(self, ended: Callable[[float], bool]) -> None:
        """Look again and again until ``ended(seconds)``, which waits as long, says so."""
        while not ended(0.1):
            self.look()
