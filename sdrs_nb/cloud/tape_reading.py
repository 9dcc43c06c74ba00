"""The files of a tape, read: the exchanges in the order in which they were made."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from sdrs_nb.cloud.tape import ENDING, VERSION
from sdrs_nb.errors import SettingsError
from sdrs_nb.i18n import _
from sdrs_nb.intake.files import read_file
from sdrs_nb.intake.limits import UnreadableError

__all__ = ["Exchange", "Tape", "read_tape", "tape_files"]

_OK = 200


@dataclass
class Exchange:
    """One recorded request with what came of it; ``file`` and ``line`` say where it stands."""

    file: Path
    line: int
    at: str
    method: str
    path: str
    query: Sequence[Sequence[str]]
    body: Mapping[str, Any]
    answer: Mapping[str, Any] | None
    failure: Mapping[str, Any] | None
    is_used: bool = field(default=False, repr=False)

    @property
    def status(self) -> int | None:
        """The HTTP status of the answer, None where none came."""
        return None if self.answer is None else int(self.answer["status"])

    @property
    def is_refusal(self) -> bool:
        """Whether the cloud answered with an error."""
        return self.status is not None and self.status // 100 != _OK // 100


@dataclass(frozen=True)
class Tape:
    """The exchanges of all files in the order in which requests left, and the settings of the first file."""

    settings: Mapping[str, Any]
    exchanges: tuple[Exchange, ...]


def tape_files(path: Path) -> list[Path]:
    """Return the files of a tape: those of a folder, or the one that was named.

    Raises
    ------
    SettingsError
        There is none.
    """
    found = sorted(path.glob(f"*{ENDING}")) if path.is_dir() else [path] if path.is_file() else []
    if not found:
        raise SettingsError(_("There is no tape at {path}; a tape is a folder of *{ending}.", path=path, ending=ENDING))
    return found


def read_tape(path: Path) -> Tape:
    """Return the tape in a folder or a file.

    A last line that was not written to its end, as after a crash, is passed over.

    Raises
    ------
    SettingsError
        There is no tape, a line is none of a tape's, or the files are of several projects.
    """
    heads: list[Mapping[str, Any]] = []
    exchanges: list[tuple[str, int, Exchange]] = []
    for file in tape_files(path):
        lines = list(_lines(file))
        if not lines or lines[0].get("tape") != VERSION or not isinstance(lines[0].get("settings"), dict):
            raise SettingsError(_("{file} is no tape, or one of another version of this tool.", file=file))
        heads.append(lines[0]["settings"])
        for number, line in enumerate(lines[1:], start=2):
            exchanges.append((str(line.get("at")), int(line.get("n", 0)), _exchange(file, number, line)))
    if len({(head.get("project_id"), head.get("project_name"), head.get("region")) for head in heads}) > 1:
        raise SettingsError(_("The tapes in {path} are of several projects; name one file.", path=path))
    return Tape(heads[0], tuple(one for _at, _n, one in sorted(exchanges, key=lambda each: each[:2])))


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    try:
        rows = read_file(file).split(b"\n")
    except UnreadableError as error:
        raise SettingsError(str(error)) from None
    for number, row in enumerate(rows, start=1):
        try:
            line = json.loads(row) if row.strip() else None
        except ValueError:
            line = ""
        if isinstance(line, dict):
            yield line
        elif line is not None and number < len(rows):
            raise SettingsError(_("Line {line} of {file} is none of a tape.", line=number, file=file))


def _exchange(file: Path, number: int, line: Mapping[str, Any]) -> Exchange:
    try:
        answer, failure = line.get("answer"), line.get("failure")
        if answer is not None:
            int(answer["status"])
            dict(answer["headers"])
        else:
            dict(failure or {})["sent"]
        datetime.fromisoformat(line["at"])
        return Exchange(file, number, line["at"], line["method"], unquote(line["path"]), line["query"], line["body"],
                        answer, failure)  # fmt: skip
    except (KeyError, TypeError, ValueError):
        raise SettingsError(_("Line {line} of {file} is none of a tape.", line=number, file=file)) from None
