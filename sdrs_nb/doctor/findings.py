"""What ``doctor`` found: a row a check, the worst first, as a frame, as text and as HTML."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import pandas as pd

from sdrs_nb.i18n import _
from sdrs_nb.shown import html
from sdrs_nb.shown.titles import frame_title
from sdrs_nb.shown.tones import CHECK_TONES
from sdrs_nb.shown.words import joined, word

__all__ = ["Check", "Diagnosis", "Finding", "frames_told", "service_title"]

_SERVICES = {"autoscaling": "AS", "deh": "DeH"}


class Check(StrEnum):
    """How a check ended, worst first."""

    FAILED = "failed"  # the job cannot be done before it is remedied
    WARNING = "warning"  # the job can be done; something will be missing, or should be known
    SKIPPED = "skipped"  # not looked at, or not to be seen by reading
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was found, and what to do about it or what stays unverified without."""

    check: str
    state: Check
    found: str
    remedy: str = ""

    @property
    def title(self) -> str:
        """What was checked, in the current language."""
        kind, _dot, part = self.check.partition(".")
        return {
            "proxy": _("Proxy"),
            "tls": _("TLS"),
            "clock": _("Clocks"),
            "credentials": _("Who calls"),
            "project": _("Project"),
            "region": _("Region"),
            "reach": _("{service} reached", service=service_title(part)),
            "permission": _("Permission to create")
            if part == "create"
            else _("Permission to read {service}", service=service_title(part)),
            "quota": _("Quotas of {service}", service=service_title(part)),
            "limits": _("Limits of a request"),
            "rulebook": _("Rule book"),
            "batch_call": _("Batch call"),
            "service": _("The service"),
            "shared_volumes": _("Shared volumes"),
        }[kind]


def service_title(service: str) -> str:
    """Return what a service is called where people read it."""
    return _SERVICES.get(service, service.upper())


class Diagnosis:
    """What was found, the worst first.

    Parameters
    ----------
    findings
        One a check, in the order in which they were made.
    """

    def __init__(self, findings: Iterable[Finding]) -> None:
        worst_first = list(Check)
        self.findings = tuple(sorted(findings, key=lambda finding: worst_first.index(finding.state)))

    @property
    def frame(self) -> pd.DataFrame:
        """One row a check, all strings: ``check`` (its name in code), ``title``, ``state``, ``found``, ``remedy``.

        ``state`` is ``failed``, ``warning``, ``skipped`` or ``ok``; ``remedy`` says what to do, or which rules stay
        unverified, and is empty where there is nothing to do.
        """
        rows = [(one.check, one.title, one.state.value, one.found, one.remedy) for one in self.findings]
        return pd.DataFrame(rows, columns=["check", "title", "state", "found", "remedy"], dtype="string")

    @property
    def counts(self) -> dict[str, int]:
        """Checks by state, every state named, worst first."""
        return {state.value: sum(one.state == state for one in self.findings) for state in Check}

    @property
    def has_failed(self) -> bool:
        """Whether something must be remedied before the job can be done."""
        return any(one.state == Check.FAILED for one in self.findings)

    def __getitem__(self, column: str) -> "pd.Series[str]":
        """Return a column of ``frame``."""
        return self.frame[column]

    def __len__(self) -> int:
        return len(self.findings)

    def __repr__(self) -> str:
        lines = [
            " ".join(part for part in (f"{word(one.state)}: {one.title}: {one.found}", one.remedy) if part)
            for one in self.findings
        ]
        return "\n".join([*lines, self.summary])

    @property
    def summary(self) -> str:
        """How many checks ended how, in a line."""
        return joined(f"{word(state)}: {count}" for state, count in self.counts.items() if count)

    def _repr_html_(self) -> str:
        return html.summary(
            _("Does this tool fit this cloud?"),
            [(word(state), count) for state, count in self.counts.items() if count],
            body=[
                html.render(
                    "findings.html",
                    findings=self.findings,
                    words={state: word(state) for state in Check},
                    tones=CHECK_TONES,
                    shapes=html.SHAPES,
                )
            ],
        )


def frames_told(frames: Iterable[str]) -> str:
    """Return frames of the inventory by their titles, one after another."""
    return joined(frame_title(frame) for frame in frames)
