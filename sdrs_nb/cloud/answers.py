"""What an answer of the cloud means: its JSON, or an error of our tree with the cloud's own words in it.

Error bodies come in many shapes (``docs`` of SDRS, of the gateway, of the neighbours and of OpenStack); one
search through the body finds code and text in all of them.
"""

import email.utils
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sdrs_nb.cloud.advice import advice
from sdrs_nb.cloud.shapes import rows_in, value_in
from sdrs_nb.errors import (
    AuthenticationError,
    CloudError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    ServiceError,
    ThrottledError,
    UnknownCallError,
)
from sdrs_nb.i18n import _

__all__ = ["Answer", "Call", "error_of", "find_code", "parse", "shorten"]

#: Characters of the cloud's text that are shown; a proxy's error page can be megabytes of HTML.
SHOWN = 500
#: How deep a body is searched; real ones need two levels.
DEPTH = 6
#: Characters of a request id that are kept.
_ID = 100
#: Clocks that differ by more spoil signatures (cloud-apis 3.1: rejected above 15 minutes).
SKEW_S = 300

# "Not found" is a 400 with one of these codes, never a 404 (sdrs-api 1): group, instance, pair, drill, server.
_NOT_FOUND = frozenset({"SDRS.1013", "SDRS.1320", "SDRS.1608", "SDRS.1902", "SDRS.1326"})
# What SDRS says of a job it no longer knows, with a 500 or a 400; asking again does not bring it back.
_NO_SUCH_JOB = "SDRS.0408"
# 400s that say "not in this state" or "taken"; the same object may allow the call later.
_CONFLICT = frozenset(
    f"SDRS.{number}"
    for number in (
        *(1001, 1002, 1003, 1010, *range(1017, 1025)),  # the group's state
        *(1301, 1305, 1314, 1316, 1319, 1323, 1324, 1325, 1327, 1328, 1333, 1342, 1352, 1357, 1359),
        *(1601, 1603, 1604, 1605, 1801, 1811, 1816, 1817, 1818, 1830, 1831, 1832, 1913, 2221, 2222),
    )
)
_DENIED = frozenset({"SDRS.0003", "SDRS.0004", "SDRS.0005", "SDRS.0009"})
# A gateway that has no such path or method; without a code where it is not the vendor's own.
_UNKNOWN_CALL, _UNKNOWN_STATUSES = "APIGW.0101", (404, 405)
_PAIRS = (("error_code", "error_msg"), ("errorCode", "errorMsg"), ("code", "message"))
_BY_STATUS: dict[int, type[CloudError]] = {
    401: AuthenticationError,
    407: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    429: ThrottledError,
}


@dataclass(frozen=True, slots=True, repr=False)
class Call:
    """One request, as the caller words it.

    ``path`` starts with a slash and may hold ``{project_id}``; ``query`` holds decoded pairs; ``body`` is sent
    byte for byte, and shows nowhere: it may hold a password.  ``shown`` stands in errors for a path that holds a key.
    ``key`` is the name of the list that the answer holds, ``""`` where it is none.  ``repeatable`` says that doing it
    twice does no harm (every GET, and asking for a token).
    """

    method: str
    service: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    repeatable: bool = False
    shown: str = ""
    key: str = ""

    def __repr__(self) -> str:
        return f"Call({self.method} {self.service} {self.shown or self.path})"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers with lower-case names, and body of one answer."""

    status: int
    headers: dict[str, str] = field(repr=False)
    content: bytes = field(repr=False)

    @property
    def request_id(self) -> str:
        """The id that the cloud's support asks for, ``""`` when the answer holds none."""
        if found := self.headers.get("x-request-id"):
            return shorten(found)[:_ID]
        document = _loads(self.content)
        found = document.get("request_id") if isinstance(document, dict) else None
        return shorten(found)[:_ID] if isinstance(found, str) else ""


def parse(call: Call, path: str, answer: Answer) -> Any:
    """Return the JSON of a 2xx answer, ``{}`` for an empty one; of a list what ``shapes`` names of its rows.

    Raises ``CloudError`` when the body is not JSON: a proxy or a login page answered, or the line broke.
    """
    content = answer.content if answer.content.strip() else b"{}"
    try:
        return rows_in(path, content, call.key) if call.key else value_in(content)
    except ValueError:
        text = shorten(answer.content.decode("utf-8", "replace"))
        raise CloudError(
            _(
                "{method} {path} answered {status} with something that is not JSON: {text} A proxy or another web "
                "server may be answering in the cloud's place; check the endpoint.",
                method=call.method,
                path=path,
                status=answer.status,
                text=_closed(text),
            ),
            method=call.method,
            path=path,
            status=answer.status,
            cloud_message=text,
            request_id=answer.request_id,
        ) from None


def error_of(
    call: Call, path: str, answer: Answer, now: datetime | None = None, *, temporary: bool = False
) -> CloudError:
    """Return the error that an answer outside 2xx means: class by status and code, the cloud's words unchanged.

    ``temporary`` says that the call was signed with temporary keys, which end with their token.
    """
    document = _loads(answer.content)
    code, text = find_code(document) or ("", "")
    if not text and document is None:
        text = answer.content.decode("utf-8", "replace")
    text = shorten(text)
    kind = _class_of(call, answer.status, code)
    sentence = " ".join(
        part
        for part in (
            _asked(call, path, answer.status, code, text),
            _skew(answer, now) if answer.status == 401 else "",  # noqa: PLR2004 - HTTP status: not authenticated
            _worn_out() if temporary and kind is AuthenticationError else "",
            advice(_UNKNOWN_CALL if kind is UnknownCallError else code, answer.status),
            _("Request id: {request_id}.", request_id=answer.request_id) if answer.request_id else "",
        )
        if part
    )
    return kind(
        sentence,
        method=call.method,
        path=path,
        status=answer.status,
        code=code,
        cloud_message=text,
        request_id=answer.request_id,
    )


def _worn_out() -> str:
    return _("These are temporary keys: their security token may have expired; get new keys with a new token.")


def find_code(document: Any, depth: int = DEPTH) -> tuple[str, str] | None:
    """Return code and text of an error body in any documented shape, None where it holds none.

    Source: sdrs-api 1.1.  At a dict ``error_code``/``error_msg``, else ``errorCode``/``errorMsg``, else
    ``code``/``message``; else its values.  IAM writes the code as a number.
    """
    if not isinstance(document, dict) or depth == 0:
        return None
    for code, text in _PAIRS:
        if code in document or text in document:
            return _text(document.get(code)), _text(document.get(text))
    found = (find_code(value, depth - 1) for value in document.values())
    return next((pair for pair in found if pair), None)


def shorten(text: str) -> str:
    """Return ``text`` on one line, cut to a length that a notebook can show, without control characters."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text[: SHOWN * 8]).split())
    return line if len(line) <= SHOWN else line[:SHOWN] + "…"


def _text(value: object) -> str:
    return shorten(str(value)) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _loads(content: bytes) -> Any:
    try:
        return value_in(content)
    except ValueError:
        return None


def _class_of(call: Call, status: int, code: str) -> type[CloudError]:
    if code == _NO_SUCH_JOB and call.repeatable:
        return NotFoundError
    if _is_unknown_call(call, status, code):
        return UnknownCallError
    if status >= 500:  # noqa: PLR2004 - HTTP: the service's own failures
        return ServiceError
    if status == 400:  # noqa: PLR2004 - HTTP: SDRS says nearly everything with it
        for codes, found in ((_NOT_FOUND, NotFoundError), (_CONFLICT, ConflictError), (_DENIED, PermissionDeniedError)):
            if code in codes:
                return found
        if code == "SDRS.0002":  # the token was not accepted, said with a 400
            return AuthenticationError
    return _BY_STATUS.get(status, CloudError)


def _is_unknown_call(call: Call, status: int, code: str) -> bool:
    """Tell whether the gateway has no such call; a read's 404 without a code may be about the object it names."""
    if status not in _UNKNOWN_STATUSES:
        return False
    return code.replace("APIG.", "APIGW.") == _UNKNOWN_CALL or not (call.repeatable or code.startswith("SDRS."))


def _asked(call: Call, path: str, status: int, code: str, text: str) -> str:
    # IAM and OpenStack write the status as their code; saying it twice helps nobody.
    said = ": ".join(part for part in ("" if code == str(status) else code, text) if part)
    if not said:
        return _("{method} {path} answered {status}.", method=call.method, path=path, status=status)
    return _(
        "{method} {path} answered {status}, {said}", method=call.method, path=path, status=status, said=_closed(said)
    )


def _closed(text: str) -> str:
    return text if text.endswith((".", "!", "?", "。", "…")) else text + "."


def _skew(answer: Answer, now: datetime | None) -> str:
    """Say so when our clock and the cloud's differ: the commonest reason for a refused signature."""
    try:
        theirs = email.utils.parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return ""
    if theirs.tzinfo is None:
        theirs = theirs.replace(tzinfo=UTC)
    seconds = abs((theirs - (now or datetime.now(UTC))).total_seconds())
    if seconds < SKEW_S:
        return ""
    return _(
        "This machine's clock and the cloud's differ by {minutes} minutes, which spoils signatures; set the clock.",
        minutes=round(seconds / 60),
    )
