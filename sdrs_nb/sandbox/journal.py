"""The kept world of ``--state DIR``: a journal of everything that changed it, replayed at the next start.

The estate follows from servers and seed, everything after it from the requests, their times and their faults. So the
journal holds one JSON line per request that changed the world, and needs no snapshot; a process killed at any moment
has lost nothing that it answered.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .routing import Effects


class JournalMismatchError(Exception):
    """The folder keeps the world of another estate; the text says which."""


class Journal:
    """Appends to ``journal.jsonl`` in a folder.

    Parameters
    ----------
    folder
        Is made if it is not there.
    head
        Servers, seed, profile and what is assumed, kept as the first line. Another head is refused.
    world_id
        The id of a world that begins here; a kept one has its own, see the attribute.

    Raises
    ------
    JournalMismatchError
        The folder holds a journal with another head.
    """

    def __init__(self, folder: Path, head: dict[str, Any], world_id: str) -> None:
        self._path = folder / "journal.jsonl"
        self._head, self.world_id = head, world_id
        folder.mkdir(parents=True, exist_ok=True)
        if not self._path.exists():
            self.clear()
        kept = self._lines()
        if kept:
            # A journal from before worlds had ids gets this one.
            self.world_id = kept[0].pop("world", world_id)
        if not kept or kept[0] != head:
            raise JournalMismatchError(
                f"{self._path} keeps another estate: {kept[0] if kept else 'nothing readable'}. "
                f"Start with the same options or choose another folder; this start asks for {head}."
            )
        # A line cut off by a kill must not swallow the next one.
        self._write([self._first_line(), *kept[1:]])

    def clear(self) -> None:
        """Forget everything but the head."""
        self._write([self._first_line()])

    def entries(self) -> list[dict[str, Any]]:
        """Give what has been kept since the start, oldest first."""
        return self._lines()[1:]

    def append(self, entry: dict[str, Any]) -> None:
        """Keep one entry; it is on disk when this returns."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def _first_line(self) -> dict[str, Any]:
        return {**self._head, "world": self.world_id}

    def _write(self, lines: list[dict[str, Any]]) -> None:
        self._path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")

    def _lines(self) -> list[dict[str, Any]]:
        lines = []
        for text in self._path.read_text(encoding="utf-8").splitlines():
            try:
                lines.append(json.loads(text))
            except ValueError:
                # A line cut off by a kill was never answered.
                break
        return lines


def effects_document(effects: Effects) -> dict[str, Any]:
    """Give effects as JSON (the keys of an object are strings there)."""
    return asdict(effects)


def read_effects(document: dict[str, Any]) -> Effects:
    """Read effects back from JSON."""
    return Effects(**{**document, "fail": {int(n): code for n, code in document["fail"].items()}})
