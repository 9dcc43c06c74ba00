"""Faults: named ways in which a cloud misbehaves, switched on through ``POST /_sandbox/faults``.

A fault is an object of the list that is posted; a new list replaces the old one, an empty list ends all faults.

``match``
    ``"POST /v1/*/protected-instances/batch"``: method (or ``*``) and path, with ``*`` for anything. Left out: all.
``kind``
    One of `KINDS`.
``times``
    How often at most. Left out: once, but without limit for ``list_lag``, ``short_list`` and when ``probability`` is
    given.
``probability``
    How likely each matching request is hit; drawn from the sandbox's seed (or the fault's own ``seed``).
``after``
    Skip this many matching requests first.
``status``, ``body``, ``headers``, ``handle``
    For ``status``: any status and body; with ``"handle": true`` the request is carried out before.
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
from dataclasses import dataclass, field
from typing import Any

from .routing import Effects, encode

KINDS = (
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
)
_UNLIMITED_BY_DEFAULT = frozenset({"list_lag", "short_list"})


class BadFaultError(ValueError):
    """The list posted to ``/_sandbox/faults`` is no list of faults; the text says what is wrong."""


@dataclass(slots=True)
class Fault:
    """One switched-on fault and how often it has struck."""

    kind: str
    match: str = "*"
    times: int | None = 1
    probability: float = 1.0
    after: int = 0
    status: int = 500
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    handle: bool = False
    seconds: float = 0.0
    limit: int = 20
    code: str = "SDRS.1350"
    n: int = 1
    seed: int | None = None
    fired: int = 0
    seen: int = 0

    def matches(self, method: str, path: str) -> bool:
        """Whether this fault is meant for a request."""
        pattern = self.match if " " in self.match or self.match == "*" else f"* {self.match}"
        return fnmatch.fnmatchcase(f"{method} {path}", pattern)

    def document(self) -> dict[str, Any]:
        """Give the fault as ``GET /_sandbox/faults`` shows it."""
        return {"kind": self.kind, "match": self.match, "times": self.times, "fired": self.fired, "seen": self.seen}


def read_faults(document: Any) -> list[Fault]:
    """Read the list posted to ``/_sandbox/faults``.

    Raises
    ------
    BadFaultError
        Not a list of objects, an unknown kind or an unknown field.
    """
    if not isinstance(document, list) or not all(isinstance(entry, dict) for entry in document):
        raise BadFaultError("Post a JSON list of fault objects.")
    return [_read_fault(entry) for entry in document]


def _read_fault(entry: dict[str, Any]) -> Fault:
    known = {name for name in Fault.__slots__ if name not in {"fired", "seen"}}
    unknown = sorted(set(entry) - known)
    if unknown:
        raise BadFaultError(f"Unknown field {unknown[0]!r}; a fault has {', '.join(sorted(known))}.")
    if entry.get("kind") not in KINDS:
        raise BadFaultError(f"Unknown kind {entry.get('kind')!r}; choose one of {', '.join(KINDS)}.")
    fault = Fault(**entry)
    if "times" not in entry and ("probability" in entry or fault.kind in _UNLIMITED_BY_DEFAULT):
        fault.times = None
    return fault


class FaultBook:
    """The faults that are on, and the draws that decide about those with a probability.

    Parameters
    ----------
    seed
        The sandbox's seed: the same requests meet the same faults.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._faults: list[Fault] = []
        self._draws: list[random.Random] = []

    def replace(self, faults: list[Fault]) -> None:
        """Switch on `faults` and nothing else."""
        self._faults = faults
        self._draws = [
            random.Random(f"{self._seed if fault.seed is None else fault.seed}/fault/{position}")  # noqa: S311 - a test's
            for position, fault in enumerate(faults)
        ]

    def strike(self, method: str, path: str) -> list[Fault]:
        """Give the faults that hit a request, in the order in which they were posted, and count them."""
        struck = []
        for fault, draw in zip(self._faults, self._draws, strict=True):
            if not fault.matches(method, path) or (fault.times is not None and fault.fired >= fault.times):
                continue
            fault.seen += 1
            if fault.seen <= fault.after or draw.random() >= fault.probability:
                continue
            fault.fired += 1
            struck.append(fault)
        return struck

    def documents(self) -> list[dict[str, Any]]:
        """Give the faults that are on."""
        return [fault.document() for fault in self._faults]


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
