"""A tape played back: a transport that answers from recorded lines, without network and without waiting.

A request is matched by method, path, query and body.  The same request again gets the next answer; the last one
repeats, for reads.  Texts that the caller chooses (names, descriptions, tags of what is created) may be others than on
the tape: the answers then bear the caller's.  The cloud's time is that of the recorded answers.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import httpx

from sdrs_nb.cloud.clock import CloudClock
from sdrs_nb.cloud.pseudonyms import DROPPED
from sdrs_nb.cloud.tape import ENDING, VERSION
from sdrs_nb.cloud.vocabulary import is_secret
from sdrs_nb.errors import NotOnTapeError, SettingsError
from sdrs_nb.i18n import _
from sdrs_nb.intake.files import read_file
from sdrs_nb.intake.limits import UnreadableError
from sdrs_nb.settings import Settings

__all__ = ["Exchange", "Replay", "read_tape", "tape_files"]

#: Seconds of the cloud's time that pass in one of ours, so that waits of a run take next to none.
_SCALE = 1000.0
#: Cloud seconds that pass with every answer that is repeated after the tape's last: a wait for more must end.
_STEP = timedelta(seconds=10)
#: What the caller of a create chooses.
_CHOSEN = frozenset({"name_prefix", "name", "description", "tags"})
_ID = re.compile(r"(?<![0-9a-f])(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32})(?![0-9a-f])")
#: What a query lists, with commas or as JSON.
_IN_LIST = re.compile(r"[^\s,\[\]\"']+")
_TOKENS = "/auth/tokens"
_BATCH = "/protected-instances/batch"
_OK, _NOT_FOUND = 200, 404


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


class Replay(httpx.AsyncBaseTransport):
    """The cloud as a tape shows it.

    Attributes
    ----------
    clock
        The cloud's time: that of the answers given last.
    batches
        Servers of each recorded batch create, in the order of the numbers in their names, which is that of the plan.
    """

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._by_key: dict[str, list[int]] = {}
        for number, one in enumerate(tape.exchanges):
            self._by_key.setdefault(_key(one.method, one.path, one.query, _document(one.body)), []).append(number)
        self._changes: dict[str, list[int]] = {}
        for number, one in enumerate(tape.exchanges):
            if one.method != "GET" and not one.path.endswith(_TOKENS):
                for name in ("", *_ID.findall(one.path), *_ids(_document(one.body))):
                    self._changes.setdefault(name, []).append(number)
        self._renamed: dict[str, str] = {}
        self._wall = self._latest = datetime.min.replace(tzinfo=UTC)
        self.clock = _TapeClock(self)
        bodies = [one.body for one in tape.exchanges if one.method == "POST" and one.path.endswith(_BATCH)]
        self.batches = tuple(dict.fromkeys(filter(None, map(_servers, sorted(bodies, key=_mark)))))

    def settings(self) -> Settings:
        """Return the settings that the recorded connection had, with credentials that open nothing."""
        told = dict(self._tape.settings)
        kind, is_temporary = told.pop("kind"), told.pop("temporary")
        made = {"token": {"token": DROPPED}, "password": {"password": DROPPED}}.get(kind)
        made = made or {"access_key": DROPPED, "secret_key": DROPPED}
        made |= {"security_token": DROPPED} if is_temporary else {}
        return Settings.model_validate({**told, **made, "found_in": dict.fromkeys((*told, *made), _("tape"))})

    def wall(self) -> datetime:
        """Return this machine's time when the answer given last was recorded."""
        return self._wall

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request from the tape.

        Raises
        ------
        NotOnTapeError
            There is no such request on the tape, or it was made more often than recorded and is no read.
        """
        raw, _mark, query = request.url.raw_path.decode().partition("?")
        pairs = [
            [name, DROPPED if is_secret(name) else text] for name, text in parse_qsl(query, keep_blank_values=True)
        ]
        sent = _loads(request.content)
        path = unquote(re.sub(r"(/credentials)/[^/]+", r"\1/...", raw))
        number, is_repeated = self._next(request.method, path, pairs, sent)
        found = self._tape.exchanges[number]
        found.is_used = True
        if request.method != "GET":
            self._renamed.update(_renamed(_document(found.body), sent))
        return self._answer(found, request, is_repeated=is_repeated)

    def _next(self, method: str, path: str, pairs: Sequence[Sequence[str]], sent: Any) -> tuple[int, bool]:
        """Return the number of the exchange that answers, and whether it did so before."""
        known = self._by_key.get(_key(method, path, pairs, sent), [])
        if method == "GET" and known:
            begin, end = self._window([path, *(text for pair in pairs for text in pair)])
            fits = [number for number in known if begin < number < end]
            fits = fits or [number for number in known if number < end] or known[:1]
        else:
            fits = known
        fresh = next((number for number in fits if not self._tape.exchanges[number].is_used), None)
        if fresh is not None:
            return fresh, False
        if fits and (method == "GET" or path.endswith(_TOKENS)):
            return fits[-1], True
        raise self._refusal(method, path, len(known))

    def _window(self, texts: Sequence[str]) -> tuple[int, int]:
        """Return between which exchanges the answer to a read lies: what was last sent about its objects, and the next.

        So a list shows what was made as soon as it was asked for, and never what this caller has not asked for yet,
        however often he reads.  A read that names no object is one of everything.
        """
        named = {each for text in texts for each in _ID.findall(text)} - {self._tape.settings.get("project_id")}
        numbers = {number for name in named or {""} for number in self._changes.get(name, ())}
        begin = max((number for number in numbers if self._tape.exchanges[number].is_used), default=-1)
        end = min(
            (number for number in numbers if not self._tape.exchanges[number].is_used),
            default=len(self._tape.exchanges),
        )
        return (begin, end) if begin < end else (-1, end)

    def _refusal(self, method: str, path: str, recorded: int) -> NotOnTapeError:
        alike = sum(one.method == method and one.path == path for one in self._tape.exchanges)
        if recorded:
            said = _("It was made {count} times there; whether once more would be taken, nobody knows.", count=recorded)
        elif alike:
            said = _("{count} requests to this path are there, with another query or body.", count=alike)
        else:
            said = _("No request to this path is there.")
        return NotOnTapeError(
            _("{method} {path} is not on the tape as it is sent now. {said}", method=method, path=path, said=said),
            method=method,
            path=path,
            status=_NOT_FOUND,
        )

    def _answer(self, found: Exchange, request: httpx.Request, *, is_repeated: bool) -> httpx.Response:
        self._wall = datetime.fromisoformat(found.at)
        if found.answer is None:
            failure = found.failure or {}
            kind: type[httpx.RequestError]
            if failure.get("sent"):
                kind = httpx.ReadTimeout if failure.get("cause") == "time" else httpx.ReadError
            else:
                kind = httpx.ConnectTimeout if failure.get("cause") == "time" else httpx.ConnectError
            raise kind(_("as on the tape"), request=request)
        headers = {"date": format_datetime(self._wall.astimezone(UTC), usegmt=True), **found.answer["headers"]}
        self._latest = max(_moment(headers), self._latest) + (_STEP if is_repeated else timedelta())
        if is_repeated:
            headers["date"] = format_datetime(self._latest, usegmt=True)
            if "x-sandbox-time" in headers:
                headers["x-sandbox-time"] = self._latest.isoformat()
        if "json" in found.answer:
            document = self._with_names(found.answer["json"]) if self._renamed else found.answer["json"]
            content = json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")
        else:
            content = str(found.answer.get("text", "")).encode("utf-8", "surrogatepass")
        return httpx.Response(int(found.answer["status"]), headers=headers, content=content, request=request)

    def _with_names(self, value: Any) -> Any:
        """Return an answer with the names that this caller chose where it chose others than were recorded."""
        match value:
            case dict():
                return {name: self._with_names(one) for name, one in value.items()}
            case list():
                return [self._with_names(one) for one in value]
            case str():
                base = next((each for each in self._renamed if value == each or value.startswith(f"{each}-")), None)
                return value if base is None else self._renamed[base] + value[len(base) :]
        return value


class _TapeClock(CloudClock):
    """The time of the recorded answers: it passes with them and with what is waited for, never by itself."""

    def __init__(self, replay: Replay) -> None:
        super().__init__(is_sandbox=True, elapsed=lambda: 0.0, wall=replay.wall)
        self.scale = _SCALE

    def hear(self, headers: Mapping[str, str]) -> None:
        """Take in the time of an answer; how fast a sandbox's time passed when it was recorded says nothing now."""
        told = {name: text for name, text in headers.items() if name != "x-sandbox-speed"}
        if "x-sandbox-time" not in told and "date" in told:
            told["x-sandbox-time"] = parsedate_to_datetime(told["date"]).isoformat()
        super().hear(told)


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


def _document(body: Mapping[str, Any]) -> Any:
    return body.get("json", body.get("text"))


def _loads(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return content.decode("utf-8", "replace")


def _key(method: str, path: str, pairs: Sequence[Sequence[str]], body: Any) -> str:
    """Return what makes two requests the same; in which order a query lists ids, nobody asks."""
    asked = sorted([name, sorted(_IN_LIST.findall(text))] for name, text in pairs)
    return json.dumps([method, path, asked, _compared(body)], sort_keys=True)


def _compared(value: Any) -> Any:
    """Return a body without secrets, without what its caller chooses, and without the order of its lists."""
    match value:
        case dict():
            return {
                name: name
                if name in _CHOSEN
                else DROPPED
                if is_secret(name) and not isinstance(one, dict)
                else _compared(one)
                for name, one in value.items()
            }
        case list():
            return sorted((_compared(one) for one in value), key=lambda one: json.dumps(one, sort_keys=True))
    return value


def _renamed(recorded: Any, sent: Any) -> dict[str, str]:
    """Return the chosen texts of a recorded body that differ in the one that is sent."""
    match recorded, sent:
        case dict(), dict():
            return {
                text: other
                for name in recorded.keys() & sent.keys()
                for text, other in (
                    [(recorded[name], sent[name])]
                    if name in _CHOSEN and isinstance(recorded[name], str) and isinstance(sent[name], str)
                    else _renamed(recorded[name], sent[name]).items()
                )
                if text != other
            }
        case list(), list():
            return {
                text: other
                for one, two in zip(recorded, sent, strict=False)
                for text, other in _renamed(one, two).items()
            }
    return {}


def _ids(value: Any) -> Iterator[str]:
    match value:
        case dict():
            for one in value.values():
                yield from _ids(one)
        case list():
            for one in value:
                yield from _ids(one)
        case str() if _ID.fullmatch(value):
            yield value


def _servers(body: Mapping[str, Any]) -> tuple[str, ...]:
    document = _document(body)
    held = document.get("protected_instances") if isinstance(document, dict) else None
    servers = held.get("servers") if isinstance(held, dict) else None
    return (
        tuple(str(one.get("server_id")) for one in servers if isinstance(one, dict))
        if isinstance(servers, list)
        else ()
    )


def _mark(body: Mapping[str, Any]) -> int:
    """Return the number that the planner put behind the prefix of a batch, 0 where there is none."""
    prefix = str(_document(body)["protected_instances"].get("name_prefix")) if _servers(body) else ""
    mark = re.search(r"-(\d{1,6})$", prefix)
    return int(mark[1]) if mark else 0


def _moment(headers: Mapping[str, str]) -> datetime:
    """Return the cloud's time of an answer."""
    try:
        if "x-sandbox-time" in headers:
            return datetime.fromisoformat(headers["x-sandbox-time"]).astimezone(UTC)
        return parsedate_to_datetime(headers["date"]).astimezone(UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
