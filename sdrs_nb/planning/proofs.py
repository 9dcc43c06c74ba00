"""Why a plan has no fewer requests, in a row and a sentence for each batch key."""

from collections.abc import Mapping, Sequence

import pandas as pd

from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.planning.batch_keys import BatchKey
from sdrs_nb.planning.packing import PackedServers, Packing
from sdrs_nb.shown.titles import field_titles

__all__ = ["proof_of"]


def proof_of(
    packed: Mapping[BatchKey, PackedServers], order: Sequence[BatchKey], names: Mapping[str, str], limit: int
) -> pd.DataFrame:
    """Return one row a batch key, in the columns of ``Plan.proof``."""
    rows, titles = [], field_titles()
    for key in order:
        count, packing = packed[key].server_count, packed[key].packing
        texts = key._asdict() | {"group_id": "", "tags": ",".join(f"{tag.key}={tag.value}" for tag in key.tags)}
        shared = "; ".join(f"{titles[name]}: {value}" for name, value in texts.items() if value)
        found = (len(packing.batches), packing.lower_bound, packing.is_proven, _why(packing, count, limit))
        rows.append((key.group_id, names[key.group_id], shared, count, *found))
    columns = ["group_id", "name", "shared", "servers", "batches", "lower_bound", "proven", "why"]
    return pd.DataFrame(rows, columns=columns)


def _why(packing: Packing, count: int, limit: int) -> str:
    if not packing.is_proven:
        return _(
            "At least {bound} batches are needed and {found} were found; the search for fewer was stopped.",
            bound=packing.lower_bound,
            found=len(packing.batches),
        )
    if packing.bound_by == "servers":
        return ngettext_(
            "{count} server at {limit} a batch needs no fewer.",
            "{count} servers at {limit} a batch need no fewer.",
            count,
            limit=limit,
        )
    return _("Clusters that must stay whole need no fewer.")
