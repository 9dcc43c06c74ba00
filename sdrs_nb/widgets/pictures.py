"""Pictures and cards of the panels as escaped HTML: laid out here, drawn by templates, each with its text alternative.

Inline SVG rather than a chart library: it needs no script, stays in a saved notebook, follows the theme, and a screen
reader gets the sentence that stands below it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sdrs_nb.eligibility.eligibility import Eligibility
from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.reporting.charts import timeline
from sdrs_nb.running.runs import Run
from sdrs_nb.shown import html
from sdrs_nb.shown.cells import clipped, text_of
from sdrs_nb.shown.tones import VERDICT_TONES
from sdrs_nb.shown.words import word
from sdrs_nb.statuses import JobStatus

__all__ = [
    "Card",
    "cards",
    "cluster_picture",
    "marked",
    "order_of_severity",
    "records",
    "run_timeline",
    "waterfall_picture",
]

_NAME = 48  # characters of a name that fit a box of the cluster's picture
_ROW = 44  # pixels from one box to the next
_MOST = 40  # boxes a side of one picture


@dataclass(frozen=True)
class Card:
    """One card: a state as tone and word, a mark on the right, a title, and named lines; empty lines are left out.

    ``is_text``: the title is a sentence of several lines, which no bold face makes easier to read.
    """

    tone: str
    word: str
    title: str
    mark: str = ""
    facts: Sequence[tuple[str, str]] = ()
    is_text: bool = False


@dataclass(frozen=True)
class _Step:
    label: str
    count: int
    alone: int
    is_total: bool
    start: float
    width: float


@dataclass(frozen=True)
class _Box:
    name: str
    word: str
    y: int
    tone: str = "neutral"
    is_outside: bool = False


def cards(items: Iterable[Card], *, width: int = 360) -> str:
    """Return cards side by side, ``width`` pixels at least, one below the other in a narrow window."""
    shown = [
        Card(
            one.tone,
            one.word,
            clipped(one.title, 600),
            one.mark,
            [(name, value) for name, value in one.facts if value],
            one.is_text,
        )
        for one in items
    ]
    return html.fragment(html.render("cards.html", cards=shown, shapes=html.SHAPES, width=width))


def waterfall_picture(eligibility: Eligibility) -> str:
    """Return how many servers each reason costs, from asked for to ready, as bars beside their numbers."""
    frame = eligibility.waterfall()
    whole = max(int(frame["left"].iloc[0]), 1)
    rows = list(zip(*(frame[name] for name in ("rule", "title", "lost", "alone", "left")), strict=True))
    steps = [_Step(_("asked for"), int(rows[0][4]), 0, is_total=True, start=0, width=100)]
    for rule, title, lost, alone, left in rows[1:]:
        if lost:
            label = f"{rule}  {title}" if isinstance(rule, str) else str(title)
            steps.append(_Step(label, int(lost), int(alone), False, 100 * int(left) / whole, 100 * int(lost) / whole))
    ready = int(rows[-1][4])
    steps.append(_Step(_("ready to plan"), ready, 0, is_total=True, start=0, width=100 * ready / whole))
    about = _("Of {whole} servers asked for, {ready} are ready to plan.", whole=int(rows[0][4]), ready=ready)
    note = html.paragraph(
        _("Each reason counts the servers that no line above took; Only reason counts those that nothing else stops.")
    )
    return html.fragment(html.render("waterfall.html", steps=steps, about=about, _=_), note)


def cluster_picture(eligibility: Eligibility, cluster_id: str) -> str:
    """Return the servers and shared volumes of one cluster, who uses which, and who blocks the others."""
    rows = eligibility.clusters
    rows = rows[rows["cluster_id"] == cluster_id].head(_MOST)
    volumes = sorted({volume for ids in rows["volume_ids"] for volume in ids.split(",") if volume})[:_MOST]
    server_at = {server: 24 + _ROW * at for at, server in enumerate(rows["server_id"])}
    offset = max(len(server_at) - len(volumes), 0) * _ROW // 2
    volume_at = {volume: 24 + offset + _ROW * at for at, volume in enumerate(volumes)}
    volumes_of = zip(rows["server_id"], rows["volume_ids"], strict=True)
    used = [(server_at[server], volume) for server, ids in volumes_of for volume in ids.split(",")]
    lines = [(server, volume_at[volume]) for server, volume in used if volume in volume_at]
    boxes = _server_boxes(eligibility, server_at)
    title = _("Cluster: servers on the left, shared volumes on the right")
    return html.fragment(
        html.heading(title),
        html.render(
            "cluster.html",
            title=title,
            about=_told(boxes, len(volumes)),
            servers=boxes,
            volumes=_volume_boxes(eligibility, volume_at),
            lines=lines,
            shapes=html.SHAPES,
            height=max([*server_at.values(), *volume_at.values(), 24]) + 24,
        ),
    )


def _server_boxes(eligibility: Eligibility, server_at: Mapping[str, int]) -> list[_Box]:
    verdicts = eligibility.verdicts.set_index("server_id")["verdict"].to_dict()
    servers = eligibility.inventory.servers
    names = dict(zip(servers["server_id"], servers["name"], strict=True))
    boxes = []
    for server, y in server_at.items():
        verdict = verdicts.get(server)
        known = _("not chosen") if server in names else _("not in the inventory")
        name = text_of(names.get(server)) or server
        boxes.append(
            _Box(
                clipped(name, _NAME),
                word(verdict) if verdict else known,
                y,
                VERDICT_TONES.get(str(verdict), "warning"),
                is_outside=verdict is None,
            )
        )
    return boxes


def _volume_boxes(eligibility: Eligibility, volume_at: Mapping[str, int]) -> list[_Box]:
    volumes = eligibility.inventory.volumes.set_index("volume_id")
    names, sizes = volumes["name"].to_dict(), volumes["size_gib"].to_dict()
    return [
        _Box(
            clipped(text_of(names.get(volume)) or volume, 26),
            _("{size} GiB", size=text_of(sizes.get(volume)) or "?"),
            y,
        )
        for volume, y in volume_at.items()
    ]


def _told(boxes: Sequence[_Box], volumes: int) -> str:
    servers = ngettext_("{count} server", "{count} servers", len(boxes))
    shared = ngettext_("{count} shared volume", "{count} shared volumes", volumes)
    text = _("{servers} share {volumes}: they are protected in one request, or none of them is.", servers=servers,
             volumes=shared)  # fmt: skip
    holding = [one.name for one in boxes if one.is_outside or one.tone in ("bad", "unknown")]
    if holding and len(holding) < len(boxes):
        text += " " + _("Held back by {names}.", names=", ".join(holding))
    return text


def run_timeline(run: Run) -> str:
    """Return when each job and sub-job of the run ran, by the cloud's clock; empty before the first job."""
    with run.ledger.readable():
        line = timeline(run.jobs, run.servers)
    if line.begin is None:
        return ""
    jobs = [one for one in line.bars if not one.is_sub_job]
    about = _(
        "{jobs} jobs since {begin} UTC by the cloud's clock: {finished} succeeded, {failed} failed. A thick bar is a "
        "job (one batch), a thin one a sub-job (one server).",
        jobs=len(jobs),
        begin=f"{line.begin:%Y-%m-%d %H:%M:%S}",
        finished=sum(one.status == JobStatus.SUCCESS for one in jobs),
        failed=sum(one.status == JobStatus.FAIL for one in jobs),
    )
    title = _("Timeline of jobs")
    return html.fragment(
        html.render("timeline.html", bars=line.bars, ticks=line.ticks, about=about, title=title, heading=title)
    )


def marked(text: str, wanted: str, title: str) -> str:
    """Return ``text`` in a fixed-width block, every occurrence of ``wanted`` (in any case) marked."""
    pattern = re.compile(f"({re.escape(wanted)})", re.IGNORECASE) if wanted else None
    lines = []
    for line in text.split("\n"):
        parts = pattern.split(line) if pattern else [line]
        lines.append([(part, bool(at % 2)) for at, part in enumerate(parts) if part])
    return html.fragment(html.render("marked.html", lines=lines, title=title))


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of ``frame`` as dicts."""
    return frame.to_dict("records")  # type: ignore[return-value]  # column names are texts


def order_of_severity(findings: pd.DataFrame) -> pd.DataFrame:
    """Return ``findings`` with what blocks first."""
    ranks = {"blocker": 0, "unverified": 1, "warning": 2, "notice": 3}
    return findings.sort_values("severity", key=lambda column: column.map(ranks), kind="stable")
