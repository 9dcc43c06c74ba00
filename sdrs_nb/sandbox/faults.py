"""Faults: named ways in which a cloud misbehaves, switched on through ``POST /_sandbox/faults``.

A fault is an object of the list that is posted; a new list replaces the old one, an empty list ends all faults. A list
with one wrong fault in it is refused whole, with the index, the key and what is right.

``match``
    ``"POST /v1/*/protected-instances/batch"``: method (or ``*``) and path, with ``*`` for anything. A path alone: any
    method. Left out: all.
``kind``
    One of `Kind`.
``times``
    How often at most. Left out: once, but without limit for ``list_lag``, ``short_list`` and when ``probability`` is
    given.
``probability``
    How likely each matching request is hit; drawn from the sandbox's seed (or the fault's own ``seed``).
``after``
    Skip this many matching requests first.
``status``, ``body``, ``headers``, ``handle``
    For ``status``: any status from 200 and any body; with ``"handle": true`` the request is carried out before.
``seconds``
    For ``slow``: wall seconds. For ``late_handle``, ``list_lag``, ``late_subjobs``, ``vanish_job``: cloud seconds.
``limit``
    For ``throttle``: the number in the gateway's text (20).
``code``, ``n``
    For ``fail_subjob``: the code (SDRS.1350), for the n-th server of the request (1). For ``short_list``: how many rows
    are left out at the end of a list's page (1); its count stays as it is.
"""

import fnmatch
import json
import random
import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from .clock import LONGEST_S
from .documents import what_is_wrong
from .routing import Effects, encode

Kind = Literal[
    "status",
    "throttle",
    "reset",
    "lost_answer",
    "late_handle",
    "list_lag",
    "short_list",
    "slow",
    "garbage",
    "no_job_id",
    "expire_token",
    "fail_subjob",
    "stuck_job",
    "vanish_job",
    "late_subjobs",
]
_UNLIMITED_BY_DEFAULT = frozenset({"list_lag", "short_list"})
#: Wall seconds that an answer may be held back, and how many faults one list has: enough for any rehearsal.
_SLOWEST_S = 3600
_MOST_FAULTS = 100
_MATCH = re.compile(r"(\*|([A-Z]+|\*) [/*]\S*|[/*]\S*)", re.ASCII)
# RFC 9110: a field name is a token, its value visible text. The two below belong to the body as it is really sent.
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_HEADER_VALUE = re.compile(r"([!-~\xa0-\xff]([ -~\xa0-\xff]{0,998}[!-~\xa0-\xff])?)?")
_FRAMING = frozenset({"content-length", "transfer-encoding"})
# Statuses that have no body (RFC 9110, 15.3.5 and 15.4.5).
_BODILESS = frozenset({204, 304})


class BadFaultError(ValueError):
    """The list posted to ``/_sandbox/faults`` is no list of faults; the text says what is wrong."""


def _check_match(match: str) -> str:
    if not _MATCH.fullmatch(match):
        raise PydanticCustomError("match", 'Input should be method and path, such as "POST /v1/*", either of them "*"')
    return match


def _check_headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not _HEADER.fullmatch(name) or name.lower() in _FRAMING:
            raise PydanticCustomError("header", "Input should name header fields, none of them about the body's length")
        if not _HEADER_VALUE.fullmatch(value):
            raise PydanticCustomError("header", "Input should have values of one line of Latin letters")
    return headers


class Fault(BaseModel):
    """One fault as it is posted; what it does is said above."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    kind: Kind
    match: Annotated[str, Field(max_length=500), AfterValidator(_check_match)] = "*"
    times: Annotated[int, Field(ge=1, le=1_000_000)] | None = 1
    probability: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 1.0
    after: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    # Below 200 is no answer but a sign that one comes.
    status: Annotated[int, Field(ge=200, le=599)] = 500
    body: Any = None
    headers: Annotated[dict[str, str], Field(max_length=50), AfterValidator(_check_headers)] = {}
    handle: bool = False
    seconds: Annotated[float, Field(ge=0, le=LONGEST_S, allow_inf_nan=False)] = 0.0
    limit: Annotated[int, Field(ge=1, le=1_000_000)] = 20
    code: Annotated[str, Field(min_length=1, max_length=500)] = "SDRS.1350"
    n: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.kind == "slow" and self.seconds > _SLOWEST_S:
            raise PydanticCustomError("seconds", f"seconds of a slow answer should be at most {_SLOWEST_S}")
        if self.status in _BODILESS and self.body is not None:
            raise PydanticCustomError("body", f"body should be left out: an answer with status {self.status} has none")
        return self

    @property
    def at_most(self) -> int | None:
        """How often it strikes; None is without limit."""
        unlimited = "probability" in self.model_fields_set or self.kind in _UNLIMITED_BY_DEFAULT
        return None if unlimited and "times" not in self.model_fields_set else self.times

    def matches(self, method: str, path: str) -> bool:
        """Whether this fault is meant for a request."""
        pattern = self.match if " " in self.match or self.match == "*" else f"* {self.match}"
        return fnmatch.fnmatchcase(f"{method} {path}", pattern)


_FAULTS = TypeAdapter(Annotated[list[Fault], Field(max_length=_MOST_FAULTS)])


def read_faults(document: Any) -> list[Fault]:
    """Read the list posted to ``/_sandbox/faults``.

    Raises
    ------
    BadFaultError
        Not a list of at most 100 objects, or an object in it is no fault; nothing of the list is taken.
    """
    try:
        return _FAULTS.validate_python(document)
    except ValidationError as error:
        fields = ", ".join(Fault.model_fields)
        whole = f"Post a JSON list of at most {_MOST_FAULTS} fault objects; a fault has {fields}."
        raise BadFaultError(what_is_wrong(error, whole, "fault")) from None


@dataclass(slots=True)
class _Switched:
    """A fault that is on: its draws, how many requests it saw and how many of them it hit."""

    fault: Fault
    draw: random.Random
    seen: int = 0
    fired: int = 0

    def strikes(self, method: str, path: str) -> bool:
        """Whether it hits this request, which it counts."""
        fault = self.fault
        if not fault.matches(method, path) or (fault.at_most is not None and self.fired >= fault.at_most):
            return False
        self.seen += 1
        if self.seen <= fault.after or self.draw.random() >= fault.probability:
            return False
        self.fired += 1
        return True


class FaultBook:
    """The faults that are on, and the draws that decide about those with a probability.

    Parameters
    ----------
    seed
        The sandbox's seed: the same requests meet the same faults.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._on: list[_Switched] = []

    def replace(self, faults: list[Fault]) -> None:
        """Switch on `faults` and nothing else."""
        self._on = [
            _Switched(fault, random.Random(f"{self._seed if fault.seed is None else fault.seed}/fault/{position}"))  # noqa: S311 - a test's
            for position, fault in enumerate(faults)
        ]

    def strike(self, method: str, path: str) -> list[Fault]:
        """Give the faults that hit a request, in the order in which they were posted, and count them."""
        return [switched.fault for switched in self._on if switched.strikes(method, path)]

    def documents(self) -> list[dict[str, Any]]:
        """Give the faults that are on, as ``GET /_sandbox/faults`` shows them."""
        return [
            {
                "kind": switched.fault.kind,
                "match": switched.fault.match,
                "times": switched.fault.at_most,
                "fired": switched.fired,
                "seen": switched.seen,
            }
            for switched in self._on
        ]


def cut_short(body: bytes, rows: int) -> bytes:
    """Give an answer without the last `rows` rows of the list in it."""
    document = json.loads(body)
    for name, value in document.items():
        if isinstance(value, list):
            document[name] = value[: max(len(value) - rows, 0)]
    return encode(document)


def effects_of(faults: list[Fault]) -> Effects:
    """Give what the struck faults change in the handling of a request."""
    effects = Effects()
    for fault in faults:
        if fault.kind == "fail_subjob":
            effects.fail[fault.n] = fault.code
        elif fault.kind == "stuck_job":
            effects.stuck = True
        elif fault.kind == "vanish_job":
            effects.vanish_s = fault.seconds
        elif fault.kind == "list_lag":
            effects.lag_s = fault.seconds
        elif fault.kind == "late_subjobs":
            effects.late_s = fault.seconds
        elif fault.kind == "no_job_id":
            effects.no_job_id = True
    return effects
