"""Formulas of a workbook whose value nobody has worked out: a program wrote them, no spreadsheet has saved them."""

import posixpath
import re
import zipfile
from collections.abc import Callable
from io import BytesIO
from xml.parsers import expat

from sdrs_nb.inventory.notes import TOLD

__all__ = ["without_value"]

_BOOK, _RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_STEP = 2**20


def without_value(data: bytes) -> dict[str, list[tuple[int, int]]]:
    """Return row and column, counted from 1, of such formulas by sheet; at most ``TOLD`` a sheet.

    The workbook has been measured.  A sheet without any formula costs a search through its bytes.
    """
    found: dict[str, list[tuple[int, int]]] = {}
    with zipfile.ZipFile(BytesIO(data)) as book:
        names = set(book.namelist())
        if not {_BOOK, _RELATIONS} <= names:
            return {}
        targets: dict[str, str] = {}
        sheets: list[tuple[str, str]] = []
        _elements(
            book.read(_RELATIONS),
            lambda tag, given: (
                targets.__setitem__(given.get("Id", ""), given.get("Target", "")) if tag == "Relationship" else None
            ),
        )
        _elements(
            book.read(_BOOK),
            lambda tag, given: (
                sheets.append((given.get("name", ""), next((v for k, v in given.items() if k.endswith(":id")), "")))
                if tag == "sheet"
                else None
            ),
        )
        for name, relation in sheets:
            target = targets.get(relation, "")
            part = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")
            if part in names and (cells := _cells(book, part)):
                found[name] = cells
    return found


def _elements(content: bytes, begun: Callable[[str, dict[str, str]], object]) -> None:
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda tag, given: begun(tag.rpartition(":")[2], given)
    parser.Parse(content, True)


def _cells(book: zipfile.ZipFile, part: str) -> list[tuple[int, int]]:
    with book.open(part) as stream:
        before, has_formula = b"", False
        while not has_formula and (piece := stream.read(_STEP)):
            has_formula = b"<f" in before + piece or b":f" in piece
            before = piece[-2:]
    if not has_formula:
        return []
    looking = _Formulas()
    with book.open(part) as stream:
        while len(looking.found) < TOLD and (piece := stream.read(_STEP)):
            looking.parser.Parse(piece, False)
    return looking.found


class _Formulas:
    """Takes the elements of a sheet as they come; ``found`` are cells with a formula and no value."""

    def __init__(self) -> None:
        self.found: list[tuple[int, int]] = []
        self._at, self._inside, self._has_formula, self._has_value = "", "", False, False
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._begun
        self.parser.EndElementHandler = self._ended
        self.parser.CharacterDataHandler = self._said

    def _begun(self, tag: str, given: dict[str, str]) -> None:
        self._inside = tag.rpartition(":")[2]
        if self._inside == "c":
            self._at, self._has_formula, self._has_value = given.get("r", ""), False, given.get("t") == "str"
        self._has_formula |= self._inside == "f"

    def _said(self, text: str) -> None:
        self._has_value |= self._inside == "v" and bool(text)

    def _ended(self, tag: str) -> None:
        self._inside = ""
        is_empty = tag.rpartition(":")[2] == "c" and self._has_formula and not self._has_value
        if is_empty and (place := _CELL.fullmatch(self._at)):
            column = 0
            for letter in place[1]:
                column = column * 26 + ord(letter) - ord("A") + 1
            self.found.append((int(place[2]), column))
