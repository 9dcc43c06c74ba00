"""Making the facts of an inventory: ids of every frame coded together, attachments sorted, one pass a frame."""

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from sdrs_nb.eligibility.columns import Columns, Ids, IntArray, RepeatedError, code_together
from sdrs_nb.eligibility.facts import Attachments, Facts, Frames
from sdrs_nb.errors import InventoryError
from sdrs_nb.i18n import _
from sdrs_nb.models import BatchOptions
from sdrs_nb.rulebook import Rulebook

__all__ = ["build_facts"]


def build_facts(
    frames: Frames,
    book: Rulebook,
    options: BatchOptions,
    server_ids: Collection[str] | None,
    busy_groups: Collection[str] = (),
) -> Facts:
    """Return the facts of an inventory; raises ``InventoryError`` where an id is missing or stands twice."""
    asked = pd.Series([] if server_ids is None else sorted(server_ids), dtype="string")
    attached = (frames.column("attachments", "server_id"), frames.column("attachments", "volume_id"))
    servers, (asked_at, owner_at), (sources, targets, drills, scaling) = _universe(
        frames,
        "servers",
        "server_id",
        [asked, attached[0]],
        [
            frames.column("protected_instances", "source_server_id"),
            frames.column("protected_instances", "target_server_id"),
            frames.column("drill_servers", "server_id"),
            frames.column("scaling_instances", "server_id"),
        ],
    )
    named, pair_rows = _named_by_pairs(frames.column("replication_pairs", "volume_ids"))
    # Nobody reads volumes in order, so the biggest frame is not sorted.
    volumes, (volume_at,), (pair_volumes,) = _universe(
        frames, "volumes", "volume_id", [attached[1]], [named], in_order=False
    )
    groups, _none, _none = _universe(frames, "groups", "group_id")
    selected = servers.rows >= 0
    if server_ids is not None:
        selected = np.zeros(len(servers), dtype=bool)
        selected[asked_at] = True
    return Facts(
        book,
        options,
        frames,
        servers,
        volumes,
        groups,
        selected,
        _attachments(frames["attachments"], owner_at, volume_at, len(volumes)),
        sources,
        targets,
        drills,
        scaling,
        pair_volumes,
        pair_rows,
        busy_groups=frozenset(busy_groups),
    )


def _named_by_pairs(lists: pd.Series) -> tuple[pd.Series, IntArray]:
    """Return every volume id that replication pairs name, and the row of its pair; one split for all of them."""
    texts = lists.fillna("").astype(str).str.replace(" ", "").tolist()
    counts = np.array([text.count(",") + 1 for text in texts], dtype=np.int64)
    names = ",".join(texts).split(",") if texts else []
    return pd.Series(names, dtype="string"), np.repeat(np.arange(len(texts)), counts)


def _attachments(frame: pd.DataFrame, servers: IntArray, volumes: IntArray, n_volumes: int) -> Attachments:
    """Sort attachments by server and volume; a pair that stands twice counts once, and a row without ids not at all."""
    usable = np.flatnonzero((servers >= 0) & (volumes >= 0))
    keys = servers[usable] * max(n_volumes, 1) + volumes[usable]
    order = np.argsort(keys, kind="stable")
    first = np.diff(keys[order], prepend=-1) != 0
    if not first.all():
        # Rows that say different things of one attachment: the one that sorts first, so that order never matters.
        texts = frame.iloc[usable].astype("string").fillna("").agg("\x1f".join, axis=1).to_numpy(dtype=str)
        order = np.lexsort((texts, keys))
        first = np.diff(keys[order], prepend=-1) != 0
    rows = usable[order[first]]
    return Attachments(servers[rows], volumes[rows], Columns(frame, rows))


def _universe(
    frames: Frames,
    frame: str,
    key: str,
    inside: Sequence[pd.Series] = (),
    outside: Sequence[pd.Series] = (),
    *,
    in_order: bool = True,
) -> tuple[Ids, list[IntArray], list[IntArray]]:
    """Return ``code_together``, with what is wrong with an id in the operator's words."""
    try:
        return code_together(frames.column(frame, key), inside, outside, in_order=in_order)
    except RepeatedError as error:
        if error.ids:
            message = _(
                "{frame} lists {ids} more than once. Keep one row each, then load again.",
                frame=frame,
                ids=", ".join(error.ids),
            )
        else:
            message = _("A row of {frame} has no {key}. Fill it in or remove the row.", frame=frame, key=key)
        raise InventoryError(message) from None
